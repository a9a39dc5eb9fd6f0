"""``misheard review learn``: a threshold and a second look out of what people said of the clips in a store."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.cloud.store import ClipStore
    from sim.review.feedback.examples import Example
    from sim.review.policy import ReviewPolicy
    from uplink.message import JSON


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``learn`` to the commands."""
    from sim.review.options import add_policy_options, add_store_options

    parser = subparsers.add_parser(
        "learn",
        help="learn a threshold and a second look from annotated clips",
        description="Learns from the annotated clips of those whom the policy lets people listen to.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FILE", help="the second look, an .npz")
    add("--word", default="alexa", metavar="NAME", help="the wake word, or the path of its model [alexa]")
    add("--lose", type=float, default=0.02, metavar="X", help="share of true wakes that may be lost [0.02]")
    add_policy_options(parser)
    add_store_options(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from datetime import UTC, datetime

    from sim.errors import FeedbackError
    from sim.review.chain import Entry
    from sim.review.feedback.learn import calibrate, learn
    from sim.review.options import opened, policy_of
    from sim.speech.library import write_whole
    from wakeword.models import EMBEDDING, find_model, shared_model
    from wakeword.scorer import load_scorer

    if not 0 <= args.lose < 0.5:
        raise FeedbackError(f"--lose {args.lose:g} is no such share; give 0 to 0.5")
    policy, model = policy_of(args), find_model(args.word)
    with opened(args) as review:
        examples, spoken, days = _material(review.store, policy, args.word, model.name)
        about: dict[str, object] = {"embedding": shared_model(EMBEDDING).sha256, "labels": "people at the desk"}
        threshold = calibrate([each.peak for each in examples], spoken, load_scorer(args.word).threshold, args.lose)
        learned, judged = learn(examples, spoken, days, args.lose, {**about, "policy": policy.name})
        if learned.model != model.sha256:
            raise FeedbackError(f"these clips are wakes of another model of {model.name} than the one that is here")
        try:
            write_whole(args.out, learned.as_bytes())
        except OSError as error:
            raise FeedbackError(f"{args.out} cannot be written ({error.strerror}); name another --out") from None
        counts = {"true_wakes": sum(spoken), "false_wakes": len(spoken) - sum(spoken)}
        details: dict[str, JSON] = {"word": model.name, "sha256": learned.sha256, "policy": policy.name, **counts}
        review.audit.record(Entry("command", "command", "learn", details=details), datetime.now(UTC))
    print(f"learned from {counts['true_wakes']} true and {counts['false_wakes']} false wakes")
    print(
        f"wake.threshold={threshold.threshold:g} would keep, of these, {threshold.kept_true} true and "
        f"{threshold.kept_false} false wakes"
    )
    print(
        f"wake.verifier={args.out} would keep, cross-validated, {judged.kept_true} true and "
        f"{judged.kept_false} false wakes"
    )
    return 0


def _material(
    store: ClipStore, policy: ReviewPolicy, scorer: str, word: str
) -> tuple[list[Example], list[bool], Sequence[str]]:
    """The wakes whose labels agree, whether the device was called, and the device and day of each."""
    from sim.cloud.moment import begun
    from sim.review.feedback.annotating import agreed, labels_of
    from sim.review.feedback.judging import Maker

    choices = {device.name: one.choice for one in store.customers.all() for device in one.devices}
    maker = Maker(scorer)
    examples, spoken, days = [], [], []
    for name, call in sorted(agreed(labels_of(store)[0]).items()):
        clip = store.clip(name)
        if clip is None or clip.opening.get("word") != word or policy.refusal(choices.get(clip.device)) is not None:
            continue
        example = maker.example(store, name)
        if example is not None:
            examples.append(example)
            spoken.append(call)
            days.append(f"{clip.device} {begun(clip.id, clip.opening, clip.begin)[:10]}")
    return examples, spoken, days
