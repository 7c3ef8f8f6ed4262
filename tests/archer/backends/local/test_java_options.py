"""Options of the JVM that let a job run, and words after which it wouldn't."""

import pytest

from archer.backends.local import java_options

PATH = "conf.spark.driver.extraJavaOptions"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "-Dmy.key='a b' -Dx",
        "-Xss4m -Xlog:gc*:file=/tmp/gc.log -Xshare:off",
        "-XX:+UseG1GC -XX:MaxDirectMemorySize=1g -XX:-ExitOnOutOfMemoryError",
        "-ea:com.example... -esa -verbose:gc -server",
        "-javaagent:/opt/agent.jar=port=1 -agentlib:jdwp=transport=dt_socket,server=y,suspend=n",
        "--add-opens=java.base/java.lang=ALL-UNNAMED --add-exports=java.base/sun.nio.ch=ALL-UNNAMED --enable-preview",
    ],
)
def test_options_that_configure_a_running_jvm_are_let_in(value: str) -> None:
    assert list(java_options.problems(PATH, value)) == []


@pytest.mark.parametrize(
    "word",
    [
        # these end the JVM with exit code 0 before Spark begins
        *("-version", "--version", "-help", "-h", "-?", "--help-extra", "-X", "--dry-run", "--list-modules"),
        *("-Xinternalversion", "-Xshare:dump", "-Xlog:help", "-XX:+PrintFlagsInitial", "-agentlib:jdwp=help"),
        # these start another program
        *("com.example.Main", "-jar", "-cp", "-classpath", "-m", "--module", "@/etc/passwd", "-d"),
        # these take the next word with them
        *("--add-opens", "--add-modules"),
    ],
)
def test_a_word_after_which_spark_would_not_run_is_refused_by_name(word: str) -> None:
    (problem,) = java_options.problems(PATH, f"-Dx=1 {word} x")

    assert problem.path == PATH
    assert problem.value == f'"{word}"'
    assert "leave it out" in problem.fix


@pytest.mark.parametrize("word", ["-Xmx4g", "-XX:MaxHeapSize=4g"])
def test_the_heap_has_a_field_of_its_own(word: str) -> None:
    (problem,) = java_options.problems(PATH, word)

    assert "driver.memory" in problem.fix


def test_an_open_quotation_is_refused() -> None:
    (problem,) = java_options.problems(PATH, "-Dx='1")

    assert "close the quotation" in problem.fix
