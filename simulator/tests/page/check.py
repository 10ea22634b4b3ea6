"""Looks at the simulator's page in a browser, after a real terraform apply. See scripts/check-page.sh.

What a newcomer does: open it, run the connection test, follow a table to a record. And what must never be: a secret, a
value that acts as markup, a request to anywhere else, an error in the console, text that leaves its box or is too pale to
be read.
"""

import argparse
import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import SessionNotCreatedException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
sys.path.insert(0, str(PROJECT / "scripts/demo"))

from api_clients import Http, Instance, Tenant  # noqa: E402
from main import ADMINISTRATOR, register, variables  # noqa: E402
from terraform import Terraform  # noqa: E402

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'\"&amp;"


def main() -> int:
    arguments = parse()
    simulator = subprocess.Popen([arguments.simulator], stdout=subprocess.PIPE, text=True)
    try:
        announced = json.loads(simulator.stdout.readline())
        # A browser that is still writing its profile does not mind when that goes away.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            try:
                browser = start_browser(arguments, profile)
            except SessionNotCreatedException as cause:
                print(f"    {arguments.browser} does not start here: the page is not looked at ({cause.msg.splitlines()[0]})")
                return 0
            try:
                applications = set_up(arguments, announced)
                page = Page(browser, announced)
                if arguments.picture:
                    page.take_picture(Path(arguments.picture))
                else:
                    page.check(applications)
                    Tenant(Http(announced["ca_certificate"]), announced).unregister(applications["rest_user"]["id"])
                    page.check_failure()
            finally:
                browser.quit()
    finally:
        simulator.terminate()
        simulator.wait(timeout=10)
    return 0


def set_up(arguments, announced: dict) -> dict:
    """Microsoft's guide, applied; and, unless it is for a picture, records that somebody hostile made."""
    http = Http(announced["ca_certificate"])
    instance, tenant = Instance(http, announced), Tenant(http, announced)
    applications = register(tenant, announced)
    instance.insert("sys_user", {"user_name": ADMINISTRATOR, "last_name": "Administrator"})
    shutil.rmtree(arguments.folder, ignore_errors=True)
    terraform = Terraform(arguments, announced, variables(announced, applications))
    terraform.run("init")
    terraform.run("apply")
    tenant.connection_test()
    if not arguments.picture:
        instance.insert("sys_user", {"user_name": "hostile", "last_name": HOSTILE, "email": HOSTILE})
        instance.insert("ip_access", {"description": HOSTILE, "range_start": "10.0.0.1", "range_end": HOSTILE})
        tenant.register(HOSTILE)
    return applications


class Page:
    def __init__(self, browser, announced: dict):
        self._browser = browser
        self._announced = announced
        self._root = announced["instance_url"] + "/"

    def check(self, applications: dict):
        browser = self._browser
        secrets = [self._announced[name] for name in ("password", "client_secret", "refresh_token")]
        secrets += [application["client_secret"] for application in applications.values()]

        browser.get(self._root)
        expect(browser.execute_script("return document.scripts.length"), 0, "scripts on the page")
        expect("Not run yet" in self._text("#connection"), False, "the demo's own run of the connection test is unknown")
        self._runs_the_connection_test()
        self._shows_what_terraform_made(applications)
        self._leads_from_a_table_to_a_record(applications["outbound"]["client_id"])
        self._shows_who_trusts_whom(missing=0)
        self._shows_claims(applications["rest_user"]["client_id"])
        self._says_what_is_not_there()
        self._hostile_values_are_inert()
        pages = self._every_page()
        for address in pages:
            browser.get(address)
            self._holds_none_of(secrets)
        self._can_be_read([self._root, self._root + "simulator/sys_user", pages[-1], self._root + "simulator/sys_usr"])
        self._was_quiet(accepted="404")
        print(
            "    the page: connection test, who trusts whom, table to record, claims, hostile values, every page without a "
            "secret, fit and contrast"
        )

    def check_failure(self):
        """An application was removed in Entra, so one direction fails."""
        self._browser.get(self._root)
        self._browser.find_element(By.CSS_SELECTOR, "#connection button").click()
        expect("1 of 2 did not get through" in self._text(".verdict"), True, self._text("#connection"))
        self._shows_who_trusts_whom(missing=2)
        self._can_be_read([self._root])
        self._was_quiet()

    def take_picture(self, picture: Path):
        browser = self._browser
        self._emulate(1120, 1300, "light")
        browser.get(self._root)
        data = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(base64.b64decode(data))
        print(f"    {picture}, {picture.stat().st_size // 1024} kB")

    def _runs_the_connection_test(self):
        browser = self._browser
        browser.find_element(By.CSS_SELECTOR, "#connection button").click()
        expect(browser.current_url, self._root, "the address after the test, which a reload must not repeat")
        expect("Connection test successful" in self._text("[role=status]"), True, self._text("#connection"))
        legs = [leg.text for leg in browser.find_elements(By.CSS_SELECTOR, ".leg")]
        expect(len(legs), 2, "legs")
        expect("the support service accepted the token" in legs[0], True, legs[0])
        expect("an incident was created" in legs[1], True, legs[1])

    def _shows_what_terraform_made(self, applications: dict):
        made = self._text("#made")
        for name in ("demo_inbound_aad", "incident_manager"):
            expect(name in made, True, f"{name} in {made}")
        admin = self._text("#admin")
        expect("demo_outbound" in admin and "set, not shown" in admin, True, admin)
        # What the instance shipped with is in its table, and not among what was made.
        expect("Okta" in made, False, made)
        self._follow("OIDC Provider Configuration")
        rows = [row.text for row in self._browser.find_elements(By.CSS_SELECTOR, "tbody tr")]
        expect([("Terraform" in row, "shipped" in row) for row in rows], [(True, False)] + [(False, True)] * 3, str(rows))
        self._follow("Overview")

    def _leads_from_a_table_to_a_record(self, client_id: str):
        browser = self._browser
        table = browser.find_element(By.CSS_SELECTOR, "#tables a[href='/simulator/oauth_entity']")
        table.click()
        expect("oauth_entity" in self._text("h1"), True, self._text("h1"))
        browser.find_element(By.CSS_SELECTOR, "tbody a").click()
        record = self._text("main")
        for text in ("Client ID", client_id, "demo_outbound", "Client Secret", "set, not shown", "Terraform"):
            expect(text in record, True, f"{text} in {record}")
        self._follow("Overview")

    def _shows_who_trusts_whom(self, missing: int):
        """The picture and the list below it say the same."""
        browser = self._browser
        picture = browser.find_element(By.CSS_SELECTOR, "#trust svg.picture")
        for part in ("title", "desc"):
            told = browser.execute_script(f"return arguments[0].querySelector('{part}').textContent", picture)
            expect(bool(told), True, f"the picture's {part}")
        ties = [tie.text for tie in browser.find_elements(By.CSS_SELECTOR, ".ties li")]
        expect(len(ties), 6, f"what is stored, in {ties}")
        expect(sum("✗ missing" in tie for tie in ties), missing, f"what is missing, in {ties}")
        expect("accepts tokens of Application A1 demo_outbound" in ties[1], True, ties[1])
        lines = browser.execute_script(DASHES)
        expect(len(lines), 6, "lines of the picture")
        expect(sum(dashes != "none" for dashes in lines), missing, f"dashed ones of {lines}")
        expect(browser.execute_script(OUTSIDE_OF_BOXES), [], "words that leave their box")

    def _shows_claims(self, caller: str):
        tokens = self._browser.find_elements(By.CSS_SELECTOR, "#tokens > .token")
        for token in tokens:
            token.find_element(By.CSS_SELECTOR, "summary").click()
        claims = [token.find_element(By.CSS_SELECTOR, "dl").text for token in tokens]
        inbound = [text for text in claims if f"appid\n{caller}" in text]
        expect(bool(inbound), True, f"a token of the REST user in {claims}")
        for claim in ("aud", "iss", "tid", "exp"):
            expect(claim in inbound[0], True, inbound[0])
        own = [f"appid\n{self._announced['client_id']}" in text for text in claims]
        expect(any(own), False, "sign-ins of Terraform among the others")
        self._browser.find_element(By.CSS_SELECTOR, "#tokens > .own > summary").click()
        shown = self._browser.find_elements(By.CSS_SELECTOR, "#tokens > .own > .token")
        expect(self._text("#tokens > .own > summary"), f"Terraform's own sign-ins ({len(shown)})", "the summary")
        expect(len(shown) > 3 and shown[0].is_displayed(), True, f"{len(shown)} sign-ins of Terraform")

    def _says_what_is_not_there(self):
        browser = self._browser
        cases = {"sys_usr": "Did you mean sys_user", "sys_user/no-such-id": "Records that it has", "a/b/c": "All tables"}
        for path, expected in cases.items():
            browser.get(f"{self._root}simulator/{path}")
            expect(expected in self._text("main"), True, f"{expected} in {self._text('main')}")
        browser.get(f"{self._root}simulator/")
        expect(browser.current_url, f"{self._root}#tables", "the address of the list of tables")

    def _can_be_read(self, addresses: list[str]):
        """On every screen, in both schemes: nothing leaves its box, and every word has the contrast that WCAG asks for."""
        browser = self._browser
        grounds = set()
        for scheme in ("light", "dark"):
            for address in addresses:
                for width in WIDTHS if address == self._root else WIDTHS[1::2]:
                    self._emulate(width, 800, scheme)
                    browser.get(address)
                    browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
                    where = f"{address} at {width} pixels, {scheme}"
                    excess = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
                    expect(excess <= 0, True, f"{excess} pixels too wide: {where}")
                    expect(browser.execute_script(OVERFLOWING), [], f"what is wider than its box: {where}")
                    expect(browser.execute_script(PALE), [], f"contrast below 4.5, or 3 for large text: {where}")
            grounds.add(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        expect(len(grounds), 2, f"grounds, one for each scheme: {grounds}")
        self._emulate(1280, 800, "light")

    def _hostile_values_are_inert(self):
        browser = self._browser
        for table in ("", "simulator/sys_user", "simulator/ip_access"):
            browser.get(self._root + table)
            expect("<script>document.title='owned'</script>" in self._text("main"), True, "the value as text")
            expect(browser.find_elements(By.CSS_SELECTOR, "main script, main img"), [], "elements out of values")
            expect(browser.title == "owned", False, "the value acted")
        self._follow("<script>")
        expect("<script>" in self._text("h1"), True, self._text("h1"))
        expect(browser.find_elements(By.CSS_SELECTOR, "script, img"), [], "elements out of values")

    def _every_page(self) -> list[str]:
        """The overview, every table, and of each table the records that somebody made."""
        browser = self._browser
        browser.get(self._root)
        tables = hrefs(browser, "#tables a")
        return [self._root, *tables, *hrefs(browser, "#made li > a")]

    def _holds_none_of(self, secrets: list[str]):
        source = self._browser.page_source
        where = self._browser.current_url
        for secret in secrets:
            expect(secret in source, False, f"{where} shows a secret")
        # The head of a signed token, which is never shown either.
        expect(re.search(r"\beyJ[A-Za-z0-9_-]{10,}\.", source), None, f"{where} shows a token")

    def _was_quiet(self, accepted: str | None = None):
        messages = [entry["message"] for entry in self._browser.get_log("browser")]
        expect([text for text in messages if accepted is None or accepted not in text], [], "the console")
        host = urllib.parse.urlsplit(self._root).netloc
        for entry in self._browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            # The browser's own first tab is not of the page.
            if message["method"] != "Network.requestWillBeSent" or message["params"]["documentURL"].startswith("chrome:"):
                continue
            address = urllib.parse.urlsplit(message["params"]["request"]["url"])
            is_own = address.netloc == host or address.scheme == "data"
            expect(is_own, True, f"a request to {address.geturl()}")

    def _emulate(self, width: int, height: int, scheme: str):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def _follow(self, text: str):
        self._browser.find_element(By.PARTIAL_LINK_TEXT, text).click()

    def _text(self, selector: str) -> str:
        return self._browser.find_element(By.CSS_SELECTOR, selector).text


def hrefs(browser, selector: str) -> list[str]:
    return [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, selector)]


def start_browser(arguments, profile: str):
    options = webdriver.ChromeOptions()
    options.binary_location = arguments.browser
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile}")
    # The simulator signs its own certificate.
    options.set_capability("acceptInsecureCerts", True)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(arguments.driver))


def expect(value, expected, what: str):
    if value != expected:
        raise SystemExit(f"error: {what}: {value!r}, not {expected!r}")


def parse():
    parser = argparse.ArgumentParser()
    for name in ("browser", "driver", "terraform", "provider", "simulator", "folder"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--picture", help="takes a picture of the overview instead of checking")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args()


WIDTHS = (320, 390, 768, 1280)
# Elements whose content is wider than they are, with the widths.
OVERFLOWING = """
    return [...document.querySelectorAll("body *")]
        .filter(one => !one.closest("svg") && one.clientWidth > 0 && getComputedStyle(one).display !== "inline")
        .filter(one => one.scrollWidth > one.clientWidth)
        .map(one => `${one.tagName} ${one.className} ${one.scrollWidth} > ${one.clientWidth}: ${one.textContent.slice(0, 60)}`);
"""
DASHES = """
    return [...document.querySelectorAll("svg.picture .tie line")].map(line => getComputedStyle(line).strokeDasharray);
"""
OUTSIDE_OF_BOXES = """
    return [...document.querySelectorAll("svg.picture .node text")]
        .filter(text => {
            const box = text.parentElement.querySelector("rect").getBoundingClientRect(), own = text.getBoundingClientRect();
            return own.left < box.left || own.right > box.right || own.top < box.top || own.bottom > box.bottom;
        })
        .map(text => text.textContent);
"""
# The contrast of WCAG 2: of each text against what lies below it, with every opacity on the way. A box of the picture has the
# colour of the section that it is in.
PALE = """
    const parse = text => {
        const numbers = text.match(/[0-9.]+/g).map(Number);
        return text.startsWith("color(srgb")
            ? [...numbers.slice(0, 3).map(one => one * 255), numbers[3] ?? 1]
            : [...numbers.slice(0, 3), numbers[3] ?? 1];
    };
    const over = (top, bottom) => [0, 1, 2].map(i => top[i] * top[3] + bottom[i] * (1 - top[3])).concat(1);
    const luminance = color => {
        const [r, g, b] = color.slice(0, 3).map(one => one / 255)
            .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = element => {
        const layers = [];
        for (let one = element; one; one = one.parentElement) layers.push(parse(getComputedStyle(one).backgroundColor));
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
    };
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), pale = [];
    let seen = 0;
    while (words.nextNode()) {
        const text = words.currentNode, element = text.parentElement, range = document.createRange();
        range.selectNodeContents(text);
        if (!text.data.trim() || range.getClientRects().length === 0) continue;
        seen += 1;
        const style = getComputedStyle(element), isDrawn = element.closest("svg") !== null;
        let color = parse(isDrawn ? style.fill : style.color);
        for (let one = element; one; one = one.parentElement) color[3] *= Number(getComputedStyle(one).opacity);
        const below = ground(element), [light, dark] = [luminance(over(color, below)), luminance(below)].sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
        const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        if (contrast < (isLarge ? 3 : 4.5)) pale.push(`${contrast.toFixed(2)}: ${text.data.trim().slice(0, 60)}`);
    }
    return seen > 5 ? pale : ["nothing was looked at"];
"""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

if __name__ == "__main__":
    sys.exit(main())
