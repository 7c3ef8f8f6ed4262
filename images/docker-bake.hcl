// Both images for both architectures: `docker buildx bake -f images/docker-bake.hcl --push` from the repository's root.
// For those who build with Docker alone; `moka images push ENV` builds the same, with the tags that charts ask for.

variable "REGISTRY" {
  default = "localhost"
}
variable "ARCHER_TAG" {
  default = "dev"
}
variable "SPARK_TAG" {
  default = "dev"
}
variable "ARCHER_INPUTS" {
  default = ""
}
variable "SPARK_INPUTS" {
  default = ""
}
variable "PLATFORMS" {
  default = "linux/amd64,linux/arm64"
}

// 0 where the builder cannot reach AWS; such an image cannot verify a database of RDS
variable "WITH_RDS_AUTHORITIES" {
  default = "1"
}

// as `built` of images/spark/jars.lock
variable "WITH_S3A" {
  default = "1"
}
variable "WITH_COMMITTERS" {
  default = "1"
}
variable "WITH_CELEBORN" {
  default = "0"
}

group "default" {
  targets = ["archer", "spark"]
}

target "common" {
  context   = "."
  platforms = split(",", PLATFORMS)
}

target "archer" {
  inherits   = ["common"]
  dockerfile = "images/archer/Dockerfile"
  tags       = ["${REGISTRY}/archer:${ARCHER_TAG}"]
  labels = {
    "moka.dev/inputs" = ARCHER_INPUTS
  }
  args = {
    WITH_RDS_AUTHORITIES = WITH_RDS_AUTHORITIES
  }
}

// the History Server is this image too: images/spark-history-server/README.md
target "spark" {
  inherits   = ["common"]
  dockerfile = "images/spark/Dockerfile"
  tags       = ["${REGISTRY}/spark:${SPARK_TAG}"]
  labels = {
    "moka.dev/inputs" = SPARK_INPUTS
  }
  args = {
    WITH_S3A        = WITH_S3A
    WITH_COMMITTERS = WITH_COMMITTERS
    WITH_CELEBORN   = WITH_CELEBORN
    FEATURES = join(",", compact([
      WITH_S3A == "1" ? "s3a" : "",
      WITH_COMMITTERS == "1" ? "committers" : "",
      WITH_CELEBORN == "1" ? "celeborn" : "",
    ]))
  }
}
