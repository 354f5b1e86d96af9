"""Families of models: a judge is known to prefer answers of its own."""

import re

# The first word of a model's name that one of these begins, after the hosts' prefixes ("us.anthropic.", "openai/").
_FAMILIES = {
    "gpt": r"gpt|chatgpt|o\d|davinci",
    "claude": r"claude",
    "gemini": r"gemini|gemma|palm",
    "llama": r"llama|codellama",
    "mistral": r"mistral|mixtral|ministral|magistral|codestral|pixtral",
    "command": r"command",
    "qwen": r"qwen|qwq",
    "deepseek": r"deepseek",
    "grok": r"grok",
    "nova": r"nova",
    "phi": r"phi",
}
_FAMILY = re.compile("|".join(rf"(?P<{name}>\b(?:{words}))" for name, words in _FAMILIES.items()))


def same_family(one: str, other: str) -> bool | None:
    """Whether two models are of one family, by their names; None where that of either is not known.

    https://arxiv.org/abs/2404.13076 (LLM evaluators recognize and favor their own generations)
    """
    found, theirs = _FAMILY.search(one.lower()), _FAMILY.search(other.lower())
    return found.lastgroup == theirs.lastgroup if found and theirs else None
