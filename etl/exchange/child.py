"""A suspected out-of-school child (疑似失学儿童) as issued; the identity of a row is issue plus 原始序号 (M8)."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Child:
    """The issued values. The repr shows only the serial, so that logs and test output name no child."""

    serial: str
    unit: str = field(repr=False)
    province: str = field(repr=False)
    city: str = field(repr=False)
    county: str = field(repr=False)
    name: str = field(repr=False)
    sex: str = field(repr=False)
    id_number: str = field(repr=False)
    household: str = field(repr=False)
