"""The contract's subjects, a file for each client. The next client is a file here, and a row."""

from importlib.util import find_spec

from subjects import anthropic, bedrock, cerebras, cohere, google_genai, groq, huggingface, mistral, ollama, openai
from subjects.subject import Subject

SUBJECTS: list[Subject] = [
    *anthropic.SUBJECTS,
    *bedrock.SUBJECTS,
    *cerebras.SUBJECTS,
    *cohere.SUBJECTS,
    *google_genai.SUBJECTS,
    *groq.SUBJECTS,
    *huggingface.SUBJECTS,
    *mistral.SUBJECTS,
    *ollama.SUBJECTS,
    *openai.SUBJECTS,
]
if find_spec("litellm"):  # which goes with other versions of the clients
    from subjects import litellm

    SUBJECTS += litellm.SUBJECTS
