#!/usr/bin/env bash
# The doctor on a machine that works, and on one where something is wrong.
source "$(dirname "$0")/lib.sh" "$1"
. "$HERE/serve_lib.sh"
printf 'port: 0\ndata_dir: data\n' >serve.yaml

call 0 safeguard doctor --config serve.yaml
has out "trained screen"
like out 'the screen \S+ answers in'
has out "serve.yaml can be read"
[ ! -e data ] || fail "the doctor made a folder"

# A checkpoint, whole and cut.
call 0 safeguard model synth --shape tiny --seed 5 --format gguf model.gguf
call 0 safeguard doctor --config serve.yaml --model model.gguf
like out 'reasoner model\.gguf: GGUF.*complete'
head -c 100000 model.gguf >cut.gguf
call 1 safeguard doctor --config serve.yaml --model cut.gguf
has out "cut.gguf"

# A service that runs, and has judged.
call 0 safeguard audit init --data-dir data
serve --data-dir data
post /v1/judge '{"text": "hello", "policies": ["spam"]}'
printf 'port: %s\ndata_dir: data\n' "${URL##*:}" >taken.yaml
call 0 safeguard doctor --config taken.yaml
has out "is taken"
has out "verdicts.db is whole"
has out "audit log: "
stop 0

# TLS that ends soon, and that has ended.
certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.pem -days "$1" -subj /CN=localhost 2>/dev/null
  chmod 600 tls.key
}
printf 'port: 0\ntls_certificate: tls.pem\ntls_key: tls.key\n' >tls.yaml
certificate 300
call 0 safeguard doctor --config tls.yaml
like out 'ok +the certificate tls\.pem ends on'
certificate 5
call 0 safeguard doctor --config tls.yaml
like out 'warning +the certificate tls\.pem ends on'
chmod 644 tls.key
call 0 safeguard doctor --config tls.yaml --json
like out '"health":"warning","part":"configuration","what":"the private key tls\.key has mode 644'
certificate 300
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 30 -subj /CN=x 2>/dev/null
sed 's/tls\.key/other.key/' tls.yaml >mixed.yaml
call 1 safeguard doctor --config mixed.yaml

# Damage.
printf 'x' | dd of=data/audit/log bs=1 seek=200 conv=notrunc status=none
call 1 safeguard doctor --config serve.yaml
has out "audit log is not whole"
SAFEGUARD_MODELS="$WORK/none" call 1 safeguard doctor --config serve.yaml
like out 'error +.*minilm'
finish
