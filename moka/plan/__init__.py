"""`moka plan ENV`: what a first deploy does in which order, what runs side by side, and what everything waits for.

Only the synthesised assembly counts: edges come from the templates and from the assembly's manifest, never from the Python
objects that wrote them, so a resource that is added tomorrow is planned without a change here. Minutes are typical ones from a
dated table with a source per figure (`times.py`); nothing is measured and AWS is asked nothing. The pictures are drawn from
the same facts, byte for byte the same on every run.
"""

from moka.plan.environment import EnvironmentPlan, make_plan

__all__ = ["EnvironmentPlan", "make_plan"]
