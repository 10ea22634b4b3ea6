#!/usr/bin/env bash
# Checks the simulator's page in a headless Chromium, after a real terraform apply. With --picture it takes the
# screenshot for the README instead. Without a browser it only reports that.

source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

picture=()
case "${1:-}" in
  "") ;;
  --picture) picture=(--picture docs/pictures/page.png) ;;
  *) fail "Unknown argument: $1" "Say: scripts/check-page.sh [--picture]" ;;
esac

browser="$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)"
driver="$(command -v chromedriver || true)"
if [ -z "$browser" ] || [ -z "$driver" ]; then
  note "there is no Chromium with its driver here: the page is not looked at (apt-get install chromium chromium-driver)"
  exit 0
fi

need_cargo
need python3 "apt-get install python3 python3-venv"

version=4.46.0
venv="$(from_pypi selenium "$version")" ||
  fail "Selenium $version cannot be installed." "It comes from PyPI: check the connection, or the proxy of pip."
cargo build --quiet --workspace --bins --locked

NO_PROXY=127.0.0.1,localhost "$venv/bin/python" simulator/tests/page/check.py "${picture[@]}" \
  --browser "$browser" \
  --driver "$driver" \
  --terraform "$(scripts/find-terraform.sh one)" \
  --provider target/debug/terraform-provider-servicenow \
  --simulator target/debug/servicenow-simulator \
  --folder "$project/target/page"
