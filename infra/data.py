"""The data stack: buckets for logs, artifacts and staging, and the registry's repositories, under one key."""

from typing import Final

import aws_cdk as cdk

from environments import Environment, names
from infra.base import MokaStack
from infra.outputs import DataOutputs
from moka_constructs import (
    AccessLogBucket,
    AccessLogBucketProps,
    AlarmTopic,
    AlarmTopicProps,
    BucketReader,
    CachedRegistry,
    DataBucket,
    DataBucketProps,
    EncryptionKey,
    EncryptionKeyProps,
    ImageRepository,
    ImageRepositoryProps,
    PullThroughCaches,
    PullThroughCachesProps,
)

REPOSITORIES: Final = (
    "archer",
    "spark",
    "spark-operator",
    "yunikorn-scheduler",
    "yunikorn-admission",
    "pause",
    "aws-load-balancer-controller",
    "kube-webhook-certgen",
    "cluster-autoscaler",
    "fluent-bit",
    "celeborn",
)
"""Images that clusters pull: our own, and those that charts name. Written here because reading the charts' list would
import cdk8s, half a second of each synth; a test compares the two."""


class DataStack(MokaStack):
    """What outlives clusters."""

    def __init__(self, stage: cdk.Stage, environment: Environment) -> None:
        super().__init__(stage, "data", environment, protect=environment.storage.retain)
        storage = environment.storage
        self._retain = storage.retain
        self.outputs = DataOutputs(key_arn=storage.key_arn or self._key())
        self._access_logs = self._access_log_bucket() if storage.access_logs else None
        self._bucket("EventLogs", "event-logs", expire_days=storage.event_log_days)
        self._bucket("ContainerLogs", "container-logs", expire_days=storage.container_log_days)
        self._bucket("Artifacts", "artifacts", noncurrent_days=storage.noncurrent_version_days)
        self._bucket("Staging", "staging", expire_days=storage.staging_days)
        if environment.delivery.registry == "account":
            self._repositories()
        if environment.delivery.pull_through_caches:
            self._caches()
        if environment.alarms is not None and environment.alarms.emails:
            # alarms of earlier stacks may name a topic that is not there yet, but no stack has to wait for this one
            props = AlarmTopicProps(
                name=names.alarm_topic(environment), location=self.location, emails=environment.alarms.emails
            )
            AlarmTopic(self, "AlarmTopic", props)

    def _key(self) -> str:
        name = self.environment_file.name
        props = EncryptionKeyProps(
            alias=f"moka-{name}-data",
            description=f"Buckets and registries of moka {name}",
            location=self.location,
            retain=self._retain,
            outside_users=self._outside_users(),
        )
        return EncryptionKey(self, "Key", props).arn

    def _outside_users(self) -> dict[str, bool]:
        """Return {role of another account: whether it writes}."""
        users: dict[str, bool] = {}
        for grant in self.environment_file.storage.cross_account:
            users[grant.principal_arn] = users.get(grant.principal_arn, False) or grant.access == "write"
        return users

    def _access_log_bucket(self) -> AccessLogBucket:
        environment = self.environment_file
        uses: tuple[names.BucketUse, ...] = ("event-logs", "container-logs", "artifacts", "staging")
        props = AccessLogBucketProps(
            bucket_name=names.bucket(environment, "access-logs"),
            location=self.location,
            source_buckets=tuple(names.bucket(environment, use) for use in uses),
            retain=self._retain,
        )
        return AccessLogBucket(self, "AccessLogs", props)

    def _bucket(
        self,
        construct_id: str,
        use: names.BucketUse,
        *,
        expire_days: int | None = None,
        noncurrent_days: int | None = None,
    ) -> None:
        props = DataBucketProps(
            bucket_name=names.bucket(self.environment_file, use),
            location=self.location,
            key_arn=self.outputs.key_arn,
            retain=self._retain,
            expire_days=expire_days,
            noncurrent_days=noncurrent_days,
            abort_multipart_days=self.environment_file.storage.abort_multipart_days,
            access_logs_bucket=None if self._access_logs is None else self._access_logs.name,
            readers=tuple(
                BucketReader(principal_arn=grant.principal_arn, prefix=grant.prefix, write=grant.access == "write")
                for grant in self.environment_file.storage.cross_account
                if grant.bucket == use
            ),
        )
        bucket = DataBucket(self, construct_id, props)
        if self._access_logs is not None:
            # named by text, so CloudFormation sees no reference; S3 refuses a target bucket that is not there yet
            bucket.node.add_dependency(self._access_logs)

    def _caches(self) -> None:
        environment = self.environment_file
        PullThroughCaches(
            self,
            "Caches",
            PullThroughCachesProps(
                registries=tuple(
                    CachedRegistry(
                        upstream=cache.upstream,
                        prefix=names.cache_prefix(environment, cache.upstream),
                        credential_arn=cache.credential_arn,
                    )
                    for cache in environment.delivery.pull_through_caches
                ),
                location=self.location,
                key_arn=self.outputs.key_arn,
                role_name=f"moka-{environment.name}-image-caches",
                tags=environment.tags,
            ),
        )

    def _repositories(self) -> None:
        prefix = names.registry(self.environment_file).split("/", 1)[1]
        for image in REPOSITORIES:
            props = ImageRepositoryProps(
                repository_name=f"{prefix}/{image}", key_arn=self.outputs.key_arn, retain=self._retain
            )
            ImageRepository(self, f"Image{''.join(part.capitalize() for part in image.split('-'))}", props)
