"""Judging answers by a model: rubrics whose questions it answers, and a score that we work out."""

from llmvitals.judge.budget import Budget, Price
from llmvitals.judge.judge import LLMJudge
from llmvitals.judge.judgement import Comparison, JudgementResult
from llmvitals.judge.rubric import Rubric

__all__ = ["Budget", "Comparison", "JudgementResult", "LLMJudge", "Price", "Rubric"]
