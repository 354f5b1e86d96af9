// Vercel's AI SDK 7 with its OpenTelemetry integration (https://ai-sdk.dev/docs/ai-sdk-core/telemetry).
import { createAnthropic } from "@ai-sdk/anthropic";
import { OpenTelemetry } from "@ai-sdk/otel";
import { createOpenAI } from "@ai-sdk/openai";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { envDetector } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { embed, generateText, registerTelemetry, streamText } from "ai";

const PACKAGE = "@ai-sdk/otel";

const sdk = new NodeSDK({ traceExporter: new OTLPTraceExporter(), resourceDetectors: [envDetector] });
sdk.start();
registerTelemetry(new OpenTelemetry());

const openai = createOpenAI({ baseURL: `${process.env.PROVIDER_URL}/v1` });
const anthropic = createAnthropic({ baseURL: `${process.env.PROVIDER_URL}/v1` });
const asked = { prompt: "Where is my order?", maxRetries: 0, experimental_telemetry: { isEnabled: true } };

async function read(stream) {
  for await (const _ of stream.textStream);
}

await generateText({ ...asked, model: openai.chat("gpt-5-mini") });
await read(streamText({ ...asked, model: openai.chat("gpt-5-mini") }));
await generateText({ ...asked, model: openai.chat("gpt-5-nano") }).catch(() => {});
await embed({ ...asked, model: openai.embedding("text-embedding-3-small"), value: "order" });
await generateText({ ...asked, model: anthropic("claude-haiku-4-5") });
await read(streamText({ ...asked, model: anthropic("claude-haiku-4-5") }));
const telemetry = { isEnabled: true, functionId: "support", metadata: { sessionId: "session-1" } };
await generateText({ ...asked, model: openai.chat("gpt-5"), experimental_telemetry: telemetry });

await sdk.shutdown();
