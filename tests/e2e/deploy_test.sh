#!/usr/bin/env bash
# The files of deploy/: each by the linter of its kind, where that is here, and all against a running
# service that has had something of everything.
#   deploy_test.sh SAFEGUARD_BINARY
. "$(dirname "$0")/lib.sh"
DEPLOY=$HERE/../../deploy

# lint TOOL COMMAND...: skipped, loudly, where there is no such tool.
lint() {
  if command -v "$1" >/dev/null; then
    shift
    call 0 "$@"
    lacks out warning
  else
    echo "SKIPPED: no $1 here" >&2
  fi
}
lint yamllint yamllint --strict -c "$DEPLOY/.yamllint" "$DEPLOY"
lint promtool promtool check rules "$DEPLOY/prometheus/alerts.yaml"
lint promtool promtool test rules "$DEPLOY/prometheus/alerts_test.yaml"
sed "s#/usr/local/bin/safeguard#$BINARY#" "$DEPLOY/systemd/safeguard.service" >safeguard.service
lint systemd-analyze systemd-analyze verify --man=no ./safeguard.service
lacks err safeguard.service
lint systemd-analyze systemd-analyze security --offline=yes --threshold=15 ./safeguard.service
if [ "${SAFEGUARD_NO_NPM:-}" = "" ] && command -v npm >/dev/null &&
  npm install --silent --no-audit --no-fund kubernetes-models@4 yaml@2 typescript@5 >npm.log 2>&1; then
  cp "$HERE/kubernetes_check.mjs" .
  call 0 node kubernetes_check.mjs "$DEPLOY"/kubernetes/*.yaml
  cat out
  call 0 node_modules/.bin/tsc --noEmit --strict --skipLibCheck --target es2022 --module nodenext manifests.ts
  cat out
else
  echo "SKIPPED: the schemas of Kubernetes; npm cannot fetch them here" >&2
fi

if ! command -v python3 >/dev/null || ! command -v objdump >/dev/null || ! command -v dpkg >/dev/null; then
  echo "SKIPPED: no python3, objdump or dpkg here, so names are not compared" >&2
  finish
fi
call 0 safeguard key new test --scope admin --data-dir data
KEY=$(cat out)
# A route with everything that there are metrics of: a budget, audits that the reasoner finishes.
AD="Cheap followers! DM me to buy 10k real likes, 40% off today"
FINE="The meeting has moved to three on Thursday, see you there."
printf '{"text": "%s", "final": "1"}\n{"text": "%s", "final": "0"}\n' "$AD" "$FINE" >answers.jsonl
cat >comments.yaml <<'YAML'
route: comments
policies: [spam]
reasoners: [{name: low, judge: recorded, recorded: answers.jsonl}]
budget: {tokens_per_second: 10000}
audit: {safe: 1, violation: 1, later: on}
YAML
safeguard serve --port 0 --data-dir data --route comments.yaml >listening 2>log &
SERVER=$!
disown
trap 'kill -9 "$SERVER" 2>/dev/null; rm -rf "$WORK"' EXIT
for _ in $(seq 600); do
  URL=$(grep -o 'http://[0-9.:]*' listening) && [ -n "$URL" ] && curl -fsS -o /dev/null "$URL/readyz" 2>/dev/null && break
  sleep 0.1
done
# post PATH BODY STATUS
post() {
  call 0 curl -sS -o answer -w '%{http_code}' -H "X-API-Key: $KEY" -H 'Content-Type: application/json' -d "$2" "$URL$1"
  equal "status of $1: $(head -c 300 answer)" "$(cat out)" "$3"
}
# A verdict, one undetermined, one refusal, and a shadow version that disagrees.
post /v1/policies '{"id": "teapots", "text": "# Teapots\n\n## Violates\n- T1.a Offers or seeks teapots.\n\n## Allowed\n- T0.a Everything else.\n"}' 201
post /v1/policies/teapots/versions/1/promote '{"to": "active"}' 200
post /v1/policies '{"id": "teapots", "text": "# Bicycles\n\n## Violates\n- T1.a Offers or seeks bicycles.\n\n## Allowed\n- T0.a Teapots, and everything else.\n"}' 201
post /v1/policies/teapots/versions/2/promote '{"to": "shadow"}' 200
post /v1/judge '{"text": "Lovely blue teapots for sale", "policies": ["teapots"]}' 200
post /v1/judge '{"text": "", "policies": ["teapots"]}' 200
call 0 curl -sS -o answer -H 'X-API-Key: sg_wrong' "$URL/v1/models"
for text in "$AD" "$FINE"; do
  post /v1/judge "{\"text\": \"$text\", \"route\": \"comments\"}" 200
done
for _ in $(seq 100); do # the shadow judges after the answer, and the reasoner later still
  curl -fsS -o metrics -H "X-API-Key: $KEY" "$URL/metrics"
  grep -q safety_shadow_disagreements_total metrics && grep -q 'safeguard_route_finished_total.* 2$' metrics && break
  sleep 0.1
done
has metrics safety_shadow_disagreements_total
like metrics 'safeguard_route_finished_total.* 2$'

safeguard serve --help >help
call 0 sh -c 'exec python3 "$0" "$@" <help' "$HERE/deploy_check.py" "$URL" "$KEY" "$BINARY"
cat out err
finish
