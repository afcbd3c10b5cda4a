# Sourced by ./pyb and ./check: makes `.venv` as `pyproject.toml` wants it, and says what it installs.
# prepare CHECKOUT EXTRAS, where EXTRAS is "" or a list as pip takes it, "dev,clients".

prepare() {
    checkout=$1 extras=$2
    stamp="$checkout/.venv/.prepared${extras:+-$extras}"
    wanted=$(cksum <"$checkout/pyproject.toml")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    need_python
    if [ ! -x "$checkout/.venv/bin/python" ]; then
        echo "pyb: making the virtual environment .venv" >&2
        python3 -m venv "$checkout/.venv"
    fi
    echo "pyb: installing Python packages into .venv (see pyproject.toml)" >&2
    "$checkout/.venv/bin/pip" install --quiet --disable-pip-version-check \
        --editable "$checkout${extras:+[$extras]}" >&2
    echo "$wanted" >"$stamp"
}

need_python() {
    if python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "pyb: Python 3.11 or newer with venv is missing; run: apt-get install python3 python3-venv" >&2
        exit 1
    fi
    echo "pyb: installing the system packages python3 and python3-venv" >&2
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3 python3-venv >&2
}
