"""The contract's subjects, a file for each client. The next client is a file here, and a row."""

from subjects import anthropic, openai
from subjects.subject import Subject

SUBJECTS: list[Subject] = [*openai.SUBJECTS, *anthropic.SUBJECTS]
