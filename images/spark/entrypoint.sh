#!/bin/bash
# What the Spark image runs: `driver ...` and `executor`, as Spark on Kubernetes starts its pods, `history-server ...`, or
# any other command as it is.
#
# Spark's own pods are the contract: arguments and SPARK_* variables are those that Spark 4.0 writes into them
# (https://github.com/apache/spark/blob/v4.0.0/resource-managers/kubernetes/docker/src/main/dockerfiles/spark/entrypoint.sh).
# Works on a read-only root: what must be written goes to Spark's own local directory when there is no other place.
set -euo pipefail

refuse() {
    printf 'spark image: %s\n' "$@" >&2
    exit 2
}

# Hadoop asks for the user's name; a user without one ends minutes later in `basedir must be absolute: ?/.ivy2`
id --user --name >/dev/null 2>&1 ||
    refuse "the user $(id --user) has no entry in /etc/passwd; run the pod as 185 (spark), as the image does by default"

writable() {
    [ -d "$1" ] && [ -w "$1" ]
}

# The first of Spark's local directories, which Spark mounts as volumes; without any, nothing.
local_directory() {
    local first=${SPARK_LOCAL_DIRS:-}
    printf '%s' "${first%%,*}"
}

# Hadoop's name for where S3A buffers what it uploads; without it that is /tmp, small or not writable in a pod
if [ -z "${LOCAL_DIRS:-}" ] && writable "$(local_directory)"; then
    LOCAL_DIRS=$(local_directory)
    export LOCAL_DIRS
fi

if ! writable /tmp && writable "$(local_directory)"; then
    TMPDIR="$(local_directory)/tmp"
    mkdir -p "$TMPDIR"
    export TMPDIR
    # every JVM reads it, spark-submit's too
    export JAVA_TOOL_OPTIONS="${JAVA_TOOL_OPTIONS:+$JAVA_TOOL_OPTIONS }-Djava.io.tmpdir=$TMPDIR -XX:-UsePerfData"
fi

# Executors put files of `spark.files` into the folder that they run in
if ! writable "$PWD"; then
    for folder in "$(local_directory)" "${TMPDIR:-/tmp}"; do
        if writable "$folder"; then
            cd "$folder"
            break
        fi
    done
fi

classpath="$SPARK_HOME/jars/*"
[ -z "${SPARK_EXTRA_CLASSPATH:-}" ] || classpath="$classpath:$SPARK_EXTRA_CLASSPATH"
[ -z "${SPARK_CLASSPATH:-}" ] || classpath="$SPARK_CLASSPATH:$classpath"
[ -z "${HADOOP_CONF_DIR:-}" ] || classpath="$HADOOP_CONF_DIR:$classpath"
classpath="${SPARK_CONF_DIR:-$SPARK_HOME/conf}:$classpath"

driver() {
    [ -n "${SPARK_DRIVER_BIND_ADDRESS:-}" ] ||
        refuse 'SPARK_DRIVER_BIND_ADDRESS is not set; Spark sets it in the driver pods that it makes'
    exec tini -s -- "$SPARK_HOME/bin/spark-submit" \
        --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
        --deploy-mode client "$@"
}

executor() {
    local name missing=()
    for name in SPARK_DRIVER_URL SPARK_EXECUTOR_ID SPARK_EXECUTOR_CORES SPARK_EXECUTOR_MEMORY SPARK_APPLICATION_ID \
        SPARK_EXECUTOR_POD_IP SPARK_RESOURCE_PROFILE_ID SPARK_EXECUTOR_POD_NAME; do
        [ -n "${!name:-}" ] || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] ||
        refuse "not set: ${missing[*]}; Spark sets them in the executor pods that it makes"
    local options=() number=0
    while name="SPARK_JAVA_OPT_$number" && [ -n "${!name+set}" ]; do
        options+=("${!name}")
        number=$((number + 1))
    done
    exec tini -s -- "${JAVA_HOME:+$JAVA_HOME/bin/}java" ${options[@]+"${options[@]}"} \
        "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
        -cp "$classpath:${SPARK_DIST_CLASSPATH:+$SPARK_DIST_CLASSPATH:}$PWD" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" \
        --executor-id "$SPARK_EXECUTOR_ID" \
        --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" \
        --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" \
        --podName "$SPARK_EXECUTOR_POD_NAME"
}

case "${1:-}" in
    driver) shift && driver "$@" ;;
    executor) executor ;;
    history-server)
        shift
        # heap: SPARK_DAEMON_MEMORY; settings: SPARK_HISTORY_OPTS
        exec tini -s -- "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.history.HistoryServer "$@"
        ;;
    '') refuse 'no command given, expected driver, executor, history-server, or a program with its arguments' ;;
    *) exec tini -s -- "$@" ;;
esac
