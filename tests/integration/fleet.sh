#!/bin/sh
# A fleet on Slurm, brought up here: three nodes on loopback, an array over two kernels; one node's daemon and worker are
# killed midway. Everything ends, no finding is lost, no seed is taken twice. All of it is started and stopped by pid.
. "$(dirname "$0")/lib.sh"
command -v afl-fuzz >/dev/null || { echo "skipped: afl-fuzz is not installed"; exit 77; }
! sanitised || { echo "skipped: afl-fuzz cannot load a sanitised mutator (SAN=1)"; exit 77; }
for program in slurmctld slurmd sbatch munged; do
  command -v $program >/dev/null || { echo "skipped: $program is not installed"; exit 77; }
done
FK=$(realpath "$B/shortfuse-fake-kernels")
dir=$TMP/slurm
fleet=$TMP/fleet
mkdir -p "$dir/run" "$dir/state" "$dir/log"
chmod 755 "$TMP" "$dir" "$dir/run"
pids=
stop() {
  # shellcheck disable=SC2086 # a list of pids
  [ -z "$pids" ] || kill $pids 2>/dev/null
  sleep 1
  # shellcheck disable=SC2086
  [ -z "$pids" ] || kill -9 $pids 2>/dev/null
  rm -rf "$TMP"
}
trap stop EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

dd if=/dev/urandom of="$dir/munge.key" bs=1 count=1024 2>/dev/null
chmod 600 "$dir/munge.key"
munged -F --key-file="$dir/munge.key" --socket="$dir/run/munge.sock" --pid-file="$dir/run/munged.pid" \
  --log-file="$dir/log/munged.log" --seed-file="$dir/run/munge.seed" --force >/dev/null 2>&1 &
pids="$pids $!"
host=$(hostname -s)
{
  cat <<EOF
ClusterName=test$$
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.sock
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SlurmdTimeout=10
JobRequeue=1
ReturnToService=2
SlurmdParameters=config_overrides
RequeueExit=75
StateSaveLocation=$dir/state
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdPidFile=$dir/run/slurmd-%n.pid
SlurmdLogFile=$dir/log/slurmd-%n.log
SlurmdSpoolDir=$dir/state/%n
EOF
  for node in n1 n2 n3; do
    echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port) CPUs=1"
  done
  echo "PartitionName=all Nodes=n1,n2,n3 Default=YES MaxTime=INFINITE State=UP"
} >"$dir/slurm.conf"
export SLURM_CONF="$dir/slurm.conf"
for _ in $(seq 50); do [ -S "$dir/run/munge.sock" ] && break; sleep 0.1; done
slurmctld -D >/dev/null 2>&1 &
pids="$pids $!"
n2=
for node in n1 n2 n3; do
  slurmd -D -N $node >/dev/null 2>&1 &
  pids="$pids $!"
  [ $node != n2 ] || n2=$!
done
for _ in $(seq 150); do
  [ "$(sinfo -h -o %T -N 2>/dev/null | grep -c idle)" = 3 ] && break
  sleep 0.2
done
[ "$(sinfo -h -o %T -N 2>/dev/null | grep -c idle)" = 3 ] ||
  { echo "skipped: Slurm's nodes do not come up here: $(sinfo -N 2>&1 | tail -n 3; tail -n 3 "$dir"/log/*.log)"; exit 77; }

# Each kernel's runs end as its rules say; the corpus beside the program has scenarios of these lengths.
export FAKE_RULES="$TMP/rules"
printf '2 lost\n3 pinned\n' >"$FAKE_RULES"
"$FK" fleet submit -o "$fleet" --kernel rules --kernel qemu:rules --workers 3 --time 6s --seed 100 >"$TMP/out" 2>&1 ||
  fail "submit: $(cat "$TMP/out")"
job=$(sed -n 's/^Job \([0-9]*\):.*/\1/p' "$TMP/out")
[ -n "$job" ] || fail "no job: $(cat "$TMP/out")"

# A node dies with all that runs on it.
for _ in $(seq 100); do
  victim=$(squeue -h -t R -o '%i' -w n2 | head -n 1)
  [ -n "$victim" ] && ls "$fleet"/runs/"${victim#*_}"-* >/dev/null 2>&1 && break
  sleep 0.1
done
[ -n "$victim" ] || fail "nothing ran on n2"
task=${victim#*_}
sleep 2
descendants() {
  for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
    descendants "$child"
    echo "$child"
  done
}
worker=$(grep -la "SLURM_ARRAY_TASK_ID=$task" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | while read -r pid; do
  tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -q "^SLURM_CONF=$dir" && echo "$pid"
done)
parents=$(for pid in $worker; do awk '{print $4}' "/proc/$pid/stat"; done 2>/dev/null | sort -u)
stepd=$(for pid in $parents; do grep -q slurmstepd "/proc/$pid/comm" 2>/dev/null && echo "$pid"; done)
# shellcheck disable=SC2086
kill -9 $n2 $stepd $worker 2>/dev/null
first=$(ls -d "$fleet"/runs/"$task"-*)
[ ! -e "$first/status" ] || fail "the task was over before its node died: nothing is tested"

# The controller sees that after 10 s; the task may start again at once.
began=$(date +%s)
while squeue -h -j "$job" -o %i 2>/dev/null | grep -q .; do
  [ $(($(date +%s) - began)) -lt 150 ] || fail "still not done: $(squeue; "$FK" fleet status -o "$fleet")"
  scontrol update JobId="${job}_$task" StartTime=now >/dev/null 2>&1
  sleep 1
done
"$FK" fleet status -o "$fleet" --json >"$TMP/status" || fail "status: $(cat "$TMP/status")"
python3 - "$TMP/status" "$task" <<'EOF' || fail "not all done, or the lost task did not run twice: $(cat "$TMP/status")"
import json, sys
status = json.load(open(sys.argv[1]))
sys.exit(status["counts"] != {"done": 6} or status["tasks"][int(sys.argv[2])]["incarnations"] < 2)
EOF
[ "$(cat "$fleet"/runs/*/seed | sort | uniq -d | wc -l)" = 0 ] || fail "a seed was taken twice"
"$FK" fleet collect -o "$fleet" >"$TMP/out" 2>&1
[ $? = 1 ] || fail "collect: $(cat "$TMP/out")"
python3 - "$fleet" <<'EOF' || fail "the merged counts are not those of the campaigns"
import glob, json, sys
campaigns = [json.load(open(f)) for f in glob.glob(sys.argv[1] + "/runs/*/campaign/campaign.json")]
found = {f.split("/")[-2] for f in glob.glob(sys.argv[1] + "/runs/*/campaign/findings/*/*/finding.json")}
merged = json.load(open(sys.argv[1] + "/merged/campaign.json"))
kept = {f.split("/")[-2] for f in glob.glob(sys.argv[1] + "/merged/findings/*/*/finding.json")}
if merged["campaigns"] != len(campaigns) or merged["runs"] != sum(c["runs"] for c in campaigns):
    sys.exit(f"runs: {merged['runs']}")
if found != kept or not found:
    sys.exit(f"findings: {found ^ kept}")
EOF
[ -s "$fleet/merged/report.html" ] || fail "no report"
sed 's/^/  /' "$TMP/out"
