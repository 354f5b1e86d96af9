"""What users do on the example's page is counted by the collector, in a real Chromium."""

import time

import pytest

pytestmark = pytest.mark.browser

OUTCOME = "document.querySelector('article').dataset.outcome"


def pressed(page, selector):
    """Press something on the newest answer, and wait for the outcome."""
    page.run("delete document.querySelector('article').dataset.outcome")
    page.click(f"article {selector}")
    return page.until(OUTCOME)


@pytest.mark.parametrize("kind", ["thumb_up", "thumb_down", "copy"])
def test_a_press_is_counted_at_once_and_a_second_one_is_not(page, rises, kind):
    assert pressed(page, f"[data-kind={kind}]") == "accepted"
    assert rises() == {kind: 1, "accepted": 1}
    assert pressed(page, f"[data-kind={kind}]") == "repeated"
    assert rises() == {"repeated": 1}


def test_a_report_goes_with_the_user_s_words(page, rises, collector, monkeypatch):
    taken, take = [], collector.intake.take
    monkeypatch.setattr(collector.intake, "take", lambda *request: taken.append(request[2]) or take(*request))
    page.click("article summary")
    page.type("article textarea", "It is the wrong city, señor.")
    assert pressed(page, "details button") == "accepted"
    assert rises() == {"report": 1, "accepted": 1}
    assert any("It is the wrong city, señor.".encode() in body for body in taken)


def test_who_tries_again_gets_an_answer_with_a_handle_of_its_own(page, rises):
    first = page.run("return document.querySelector('article').dataset.handle")
    page.click("[data-kind=regenerate]")
    page.until("document.querySelectorAll('article[data-handle]').length == 2")
    page.until("document.querySelectorAll('article')[1].dataset.outcome")
    assert rises() == {"regenerate": 1, "accepted": 1}
    assert page.run("return document.querySelector('article').dataset.handle") != first
    assert pressed(page, "[data-kind=thumb_up]") == "accepted"


def test_text_that_is_copied_out_of_an_answer_counts_once(page, rises):
    page.run("getSelection().selectAllChildren(document.querySelector('.answer'))")
    for _ in "twice":
        page.run("document.execCommand('copy')")
    wait_for(rises, {"copy": 1, "accepted": 1})


def test_a_handle_that_was_changed_in_the_page_is_refused(page, rises):
    page.run(
        "const {dataset} = document.querySelector('article'); dataset.handle = dataset.handle.slice(0, -4) + 'AAAA'"
    )
    assert pressed(page, "[data-kind=thumb_up]") == "forged"
    assert rises() == {"forged": 1}
    assert page.run("return document.querySelector('[role=status]').textContent") == "We could not take that."


def test_a_page_of_another_origin_is_refused_and_goes_on(browser, app, rises):
    """The same page under another name of the host: it may not read the module, nor send feedback without it."""
    browser.open(app.url.replace("127.0.0.1", "localhost"))
    browser.type("[name=question]", "Where is my parcel?")
    browser.click("#ask button")
    browser.until("document.querySelector('article').dataset.handle")
    assert pressed(browser, "[data-kind=thumb_up]") == "unreachable"
    assert rises() == {}
    browser.run(
        "const {handle} = document.querySelector('article').dataset;"
        "return fetch(arguments[0], {method: 'POST', mode: 'no-cors', body: JSON.stringify({handle, kind: 'copy'})})"
        ".then(() => true)",
        f"{app.collector}/v1/feedback",
    )
    assert rises() == {"foreign_origin": 1}


def test_what_is_told_while_the_page_is_left_arrives(page, app, rises):
    page.run(
        "const {handle} = document.querySelector('article').dataset;"
        "const leave = ({feedback}) => { addEventListener('pagehide', () => feedback(handle, 'abandon')) };"
        "return import(arguments[0]).then(leave)",
        f"{app.collector}/feedback.js",
    )
    page.open("about:blank")
    wait_for(rises, {"abandon": 1, "accepted": 1})


def test_where_a_browser_cannot_keep_requests_alive_a_beacon_is_sent(page, app, rises):
    """As Firefox before 133; the request is held back, as by a slow network."""
    page.run(
        "delete Request.prototype.keepalive; window.fetch = () => new Promise(() => {});"
        "const {handle} = document.querySelector('article').dataset;"
        "return import(arguments[0]).then(({feedback}) => { feedback(handle, 'abandon') })",
        f"{app.collector}/feedback.js?of=an-old-browser",
    )
    assert rises() == {}
    page.open("about:blank")
    wait_for(rises, {"abandon": 1, "accepted": 1})


def test_what_is_told_offline_is_sent_when_the_network_is_back(page, rises):
    page.offline(True)
    try:
        page.click("article [data-kind=thumb_down]")
        assert rises() == {}
    finally:
        page.offline(False)
    assert page.until(OUTCOME) == "accepted"
    assert rises() == {"thumb_down": 1, "accepted": 1}


@pytest.mark.parametrize("width", [360, 1100])
def test_all_of_it_fits_on_a_narrow_screen_and_on_a_wide_one(page, width):
    page.resize(width, 720)
    page.click("article summary")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    for control in ("thumb_up", "thumb_down", "copy", "regenerate"):
        page.click(f"[data-kind={control}]")


def wait_for(rises, expected):
    """Wait until the collector has counted this."""
    risen, deadline = {}, time.monotonic() + 20
    while risen != expected:
        assert time.monotonic() < deadline, risen
        for name, amount in rises().items():
            risen[name] = risen.get(name, 0) + amount
