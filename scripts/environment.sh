# Sourced by the other scripts: a virtual environment with all they need, made once and again when setup.cfg changes.
# Sets PYTHON. KSCONFIG_PYTHON names another interpreter to make it from.

venv=.venv-test
base=${KSCONFIG_PYTHON:-python3}
"$base" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
    echo "error: ksconfig needs Python 3.10 or later; name one with KSCONFIG_PYTHON=python3.12" >&2
    exit 1
}
stamp=$("$base" -c 'import hashlib, sys
print(sys.version.split()[0], hashlib.sha256(open("setup.cfg", "rb").read()).hexdigest())')
if [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ]; then
    (
        # one script at a time; the second one finds it made (macOS has no flock)
        if command -v flock >/dev/null; then flock 9; fi
        [ "$(cat "$venv/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
        echo "making $venv (once) ..." >&2
        rm -rf "$venv"
        "$base" -m venv "$venv" || {
            echo "error: no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv" >&2
            exit 1
        }
        "$venv/bin/python" -m pip install -q --disable-pip-version-check -e '.[dev]'
        echo "$stamp" > "$venv/stamp"
    ) 9> "$venv.lock"
fi
PYTHON=$venv/bin/python
# As pip does where it installs: else each start compiles a hundred modules wherever Python may not keep what it compiled.
"$PYTHON" -m compileall -q ksconfig
