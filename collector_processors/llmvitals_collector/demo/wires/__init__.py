"""The wire formats of the loopback provider: one module for each API, all of one shape, and the table of routes.

To add an API: a module here with the functions of `demo.wire.Wire` (or of `StreamingWire`), and a row in ROUTES.
"""

from llmvitals_collector.demo.route import Route, always, unless_declined
from llmvitals_collector.demo.wires import (
    cerebras,
    cerebras_completions,
    chat,
    cohere_chat_v1,
    cohere_chat_v2,
    cohere_embed,
    completions,
    converse,
    embed_content,
    embeddings,
    generate_content,
    groq,
    huggingface_chat,
    huggingface_features,
    huggingface_text,
    invoke,
    messages,
    mistral,
    mistral_embeddings,
    ollama_chat,
    ollama_embed,
    ollama_generate,
    responses,
)

# The first that matches is taken. Paths that two APIs share have a prefix here, for the client's base URL.
ROUTES = (
    Route("/v1/chat/completions", chat),
    Route("/v1/responses", responses),
    Route("/v1/completions", completions),
    Route("/v1/embeddings", embeddings),
    Route("/v1/messages", messages),
    Route("/openai/v1/chat/completions", groq),
    Route("/openai/v1/embeddings", embeddings),
    Route("/cerebras/v1/chat/completions", cerebras),
    Route("/cerebras/v1/completions", cerebras_completions),
    Route("/mistral/v1/chat/completions", mistral),
    Route("/mistral/v1/agents/completions", mistral),
    Route("/mistral/v1/fim/completions", mistral),
    Route("/mistral/v1/embeddings", mistral_embeddings),
    Route("/api/chat", ollama_chat, unless_declined),
    Route("/api/generate", ollama_generate, unless_declined),
    Route("/api/embed", ollama_embed),
    Route("/hf/v1/chat/completions", huggingface_chat),
    Route("/hf/models/{model}/v1/chat/completions", huggingface_chat),
    Route("/hf/models/{model}/pipeline/feature-extraction", huggingface_features),
    Route("/hf/models/{model}", huggingface_text),
    Route("/hf/", huggingface_text),
    # Both Gemini's and Vertex AI's.
    Route("/{parent}/models/{model}:generateContent", generate_content),
    Route("/{parent}/models/{model}:streamGenerateContent", generate_content, always),
    Route("/{parent}/models/{model}:embedContent", embed_content),
    Route("/{parent}/models/{model}:batchEmbedContents", embed_content),
    Route("/{parent}/models/{model}:predict", embed_content),
    Route("/v1/chat", cohere_chat_v1),
    Route("/v2/chat", cohere_chat_v2),
    Route("/v1/embed", cohere_embed),
    Route("/v2/embed", cohere_embed),
    Route("/model/{model}/converse", converse, headers=converse.headers),
    Route("/model/{model}/converse-stream", converse, always, converse.headers),
    Route("/model/{model}/invoke", invoke, headers=invoke.headers),
    Route("/model/{model}/invoke-with-response-stream", invoke, always, invoke.stream_headers),
)
# What answers a path that none of them has; always with an error.
UNKNOWN = Route("{path}", chat)
