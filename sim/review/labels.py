"""What somebody says of a clip after listening to it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.errors import ReviewError

Kind: TypeAlias = Literal["mundane", "upsetting", "criminal"]
Label: TypeAlias = Literal["addressed", "wake_word", "kind", "language", "speakers"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LABELS: tuple[Label, ...] = get_args(Label)


class Labels(BaseModel):
    """An annotation; ``addressed`` (to the device) and ``wake_word`` (was said) are None where that cannot be told.

    seconds: how long it took, None takes the time since the task was taken. kind: "criminal" means possibly so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    transcript: Annotated[str, Field(max_length=10_000)]
    addressed: bool | None
    wake_word: bool | None
    kind: Kind = "mundane"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")] = "en"
    speakers: Annotated[int, Field(ge=0, le=20)] = 1
    seconds: Annotated[float, Field(ge=0, le=86_400)] | None = None

    @classmethod
    def of(cls, **fields: object) -> Labels:
        """Take labels as somebody sent them; raises ReviewError for what cannot be one."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(map(str, first["loc"])) or "the labels"
            raise ReviewError(f"{name} is {first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from None
