"""A support desk on the real clients of OpenAI and Anthropic, and what it takes to have it measured."""

import anthropic
import openai

import llmvitals

llmvitals.instrument()

# Without retries, so that rate limits are seen as they are.
gpt = openai.OpenAI(max_retries=0)
async_gpt = openai.AsyncOpenAI(max_retries=0)
claude = anthropic.Anthropic(max_retries=0)
async_claude = anthropic.AsyncAnthropic(max_retries=0)


@llmvitals.prompt("search-articles", version="1")
def search_articles(question: str) -> None:
    """Embeddings. There is no answer for a user to judge."""
    gpt.embeddings.create(model="text-embedding-3-small", input=question)


@llmvitals.prompt("sort-question", version="2")
def sort_question(question: str) -> str:
    """A chat completion; gives the answer's id, as all below do."""
    answer = gpt.chat.completions.create(
        model="gpt-5-nano",
        messages=[
            {"role": "developer", "content": "Say in one word what the question is about: order, bill or other."},
            {"role": "user", "content": question},
        ],
    )
    return answer.id


@llmvitals.prompt("summarize-ticket", version="5")
def summarize_ticket(question: str) -> str:
    """A chat completion, streamed."""
    stream = gpt.chat.completions.create(
        model="gpt-5-mini",
        messages=[
            {"role": "developer", "content": "Summarize the ticket in two sentences."},
            {"role": "user", "content": question},
        ],
        stream=True,
        stream_options={"include_usage": True},
    )
    answer_id = ""
    for chunk in stream:
        answer_id = chunk.id
    return answer_id


async def draft_letter(question: str) -> str:
    """A response, streamed by the async client."""
    with llmvitals.prompt("draft-letter", version="1"):
        async with async_gpt.responses.stream(
            model="gpt-5",
            instructions="Write a letter that answers the question at length.",
            input=question,
            reasoning={"effort": "medium"},
        ) as stream:
            answer = await stream.get_final_response()
    return answer.id


async def support_answer(question: str) -> str:
    """A message, streamed by the async client."""
    with llmvitals.prompt("support-answer", version="3"):
        async with async_claude.messages.stream(
            model="claude-sonnet-4-5",
            max_tokens=500,
            system="Answer as our support desk does: short, right and kind.",
            messages=[{"role": "user", "content": question}],
        ) as stream:
            answer = await stream.get_final_message()
    return answer.id


@llmvitals.prompt("translate-answer", version="4")
def translate_answer(question: str) -> str:
    """A message."""
    answer = claude.messages.create(
        model="claude-haiku-4-5",
        max_tokens=500,
        system="Translate into French.",
        messages=[{"role": "user", "content": question}],
    )
    return answer.id


def rate_answer(answer_id: str, *, liked: bool) -> None:
    """What the thumbs below an answer do."""
    llmvitals.feedback(answer_id, "thumb_up" if liked else "thumb_down")
