"""A page whose users tell what they think of answers: thumbs, copy, regenerate, report."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openai

import llmvitals

COLLECTOR = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
PAGE = Path(__file__).with_name("page.html").read_text().replace("http://localhost:4318", COLLECTOR)

llmvitals.instrument()
client = openai.OpenAI()


def answer(question):
    """The model's answer, and the handle by which the browser tells what its user does with it."""
    with llmvitals.prompt("support-answer", version="3"):
        response = client.responses.create(model="gpt-5-mini", input=question)
    return {"text": response.output_text, "handle": llmvitals.handle(response)}


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path == "/"
        self.reply(200 if found else 404, "text/html; charset=utf-8", PAGE if found else "There is only /.")

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["question"]
        try:
            self.reply(200, "application/json", json.dumps(answer(question)))
        except openai.OpenAIError as error:
            self.reply(502, "text/plain; charset=utf-8", f"The model gave no answer: {error}")

    def reply(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), App)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
