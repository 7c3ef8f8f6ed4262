"""A stand-in for the Spark operator 2.5.2: it drives SparkApplications on a real API server, thousands of them.

The real operator starts a JVM per submission (about 10 core-seconds), so nobody can show on one machine what Archer does
with ten thousand jobs. The stand-in reads the same arguments, uses the same service account and writes the same status,
pods, Services and events, without Spark. What it does is not taken on trust: `tests/e2e/spark_operator` has one test per
rule, and the same suite runs against the real binary (`SPARK_OPERATOR_BIN`).

Three parts, apart as they are in life: the operator (`reconciler`, fed by `informer`, `event_handler` and `workqueue`),
spark-submit (`submission` → `driver_objects`: driver pod, headless Service, ConfigMap) and the drivers, which have nobody
else to make their executors (`executors`).

It does not: run Spark or any pod (kwok's stages or a test play the kubelet), serve webhooks, reconcile
ScheduledSparkApplications and SparkConnects, know batch schedulers (`spec.batchScheduler`; a scheduler name and labels in
the template work), Prometheus monitoring of jobs, driverIngressOptions, secrets and volumes outside pod templates, or scale
executors by load.
"""
