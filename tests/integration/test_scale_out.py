"""Several far ends divide the work on one broker and one store; one of them is killed in the middle of it."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections import Counter as Count
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.main import main
from tests.postgres_kit import PostgreSQL
from tests.uplink_kit import DEADLINE_S, Counter, Diary, Keys, cut, free_port, mosquitto, noise
from uplink.errors import AddressError
from uplink.message import Directive, Part
from uplink.sender import Sender
from uplink.spool import Spool

DEVICES = [f"dot-{number}" for number in range(4)]
CLIPS, PARTS, SIZE = 4, 8, 1_600

RECEIVER = "from sim.main import main; raise SystemExit(main())"
LISTENER_THAT_NEVER_ENDS = """
import sys, threading
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from tests.uplink_kit import Counter, Keys
from pathlib import Path

class Lost(Counter):
    name = "lost"
    def transcribe(self, samples):
        print("listening", flush=True)
        threading.Event().wait()

folder, url, root, database = sys.argv[1:]
far_end = FarEnd(Cloud(ClipStore(root, database or None), Lost()), url, Keys(Path(folder)).far_end,
                 on_event=lambda kind, _: print(kind, flush=True), share="group", look_s=0.1)
far_end.start(strict=True)
threading.Event().wait()
"""


@dataclass(frozen=True)
class Place:
    """A store that several programs may open."""

    root: str
    database: str | None = None

    def open(self, vault: Path | None = None) -> ClipStore:
        return ClipStore(self.root, self.database, vault)

    @property
    def options(self) -> list[str]:
        return ["--store", self.root, *(["--database", self.database] if self.database else [])]


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(str(tmp_path / "cloud"))
    running: PostgreSQL = request.getfixturevalue("postgresql")
    return Place(str(tmp_path / "cloud"), running.database(f"clips{free_port()}"))


@pytest.fixture
def url(needs: Callable[[str], str], tmp_path: Path) -> Iterator[str]:
    with mosquitto(needs("mosquitto"), tmp_path, free_port()) as url:
        yield url


@dataclass
class Receiver:
    """A process that tells what it does in lines; `lines` is all that it has told."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    news: queue.SimpleQueue[str | None] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            self.news.put(line)
        self.news.put(None)

    def wait(self, start: str) -> str:
        while (line := self.news.get(timeout=DEADLINE_S)) is not None:
            if line.startswith(start):
                return line
        raise AssertionError(f"no {start!r} in {self.lines}")

    def clips(self, kind: str) -> list[str]:
        return [line.split("clip=")[1].split()[0] for line in self.lines if line.startswith(f"{kind} ")]


def first_with(receivers: list[Receiver], start: str) -> Receiver:
    """Give the one that tells such a line first."""
    found: queue.SimpleQueue[Receiver] = queue.SimpleQueue()

    def look(receiver: Receiver) -> None:
        while (line := receiver.news.get()) is not None:
            if line.startswith(start):
                found.put(receiver)
                return

    for receiver in receivers:
        threading.Thread(target=look, args=(receiver,), daemon=True).start()
    return found.get(timeout=DEADLINE_S)


def run(stack: ExitStack, *arguments: str) -> Receiver:
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    )
    stack.callback(process.kill)
    return Receiver(process)


def clips_of(device: str) -> list[list[Part]]:
    seed = DEVICES.index(device) * CLIPS
    return [
        cut(noise(PARTS * SIZE, seed + number), SIZE, device=device, begin=number * 10**6) for number in range(CLIPS)
    ]


def sender_of(stack: ExitStack, device: str, url: str, keys: Keys, folder: Path, diary: Diary) -> Sender:
    spool = Spool(folder / f"{device}.sqlite")
    stack.callback(spool.close)

    def obey(directive: Directive) -> None:
        diary("directive", {"name": directive.name, "clip": directive.clip})

    return stack.enter_context(
        Sender(device, spool, url, seal=keys.device, on_directive=obey, on_fact=diary, resend_s=0.5)
    )


def test_three_programs_divide_the_work_and_one_is_killed(place: Place, url: str, tmp_path: Path) -> None:
    keys = {device: Keys(tmp_path / "keys", device) for device in DEVICES}
    diaries = {device: Diary() for device in DEVICES}
    command = [
        *(RECEIVER, "cloud", "--broker", url, *place.options, "--keys", str(tmp_path / "keys" / "cloud")),
        *("--share", "group", "--recognizer", "pocketsphinx"),
    ]
    with ExitStack() as stack:
        receivers = [run(stack, *command) for _ in range(3)]
        for receiver in receivers:
            receiver.wait("storing in")
        senders = {d: sender_of(stack, d, url, keys[d], tmp_path, diaries[d]) for d in DEVICES}
        clips = [(device, clip) for device in DEVICES for clip in clips_of(device)]
        half = len(clips) // 2
        for device, clip in clips[:half]:
            for part in clip:
                senders[device].submit(part)
        doomed = first_with(receivers, "complete")  # it has a clip that nobody else answers while it lives
        survivors = [receiver for receiver in receivers if receiver is not doomed]
        doomed.process.kill()
        for device, clip in clips[half:]:
            for part in clip:
                senders[device].submit(part)
        for sender in senders.values():
            assert sender.drain(2 * DEADLINE_S)
        store = place.open(keys[DEVICES[0]].far_end_ring.folder)  # beside the far end's keys is the vault
        stack.callback(store.close)
        deadline = threading.Event()
        timer = threading.Timer(2 * DEADLINE_S, deadline.set)
        stack.callback(timer.cancel)
        timer.start()
        while store.unanswered():
            assert not deadline.wait(0.1), [receiver.lines[-5:] for receiver in receivers]
        for receiver in survivors:
            receiver.process.send_signal(signal.SIGTERM)
            assert receiver.process.wait(DEADLINE_S) == 0
            receiver.reader.join(DEADLINE_S)
        for device, clip in clips:
            kept = store.clip(clip[0].clip)
            assert kept is not None
            assert (kept.device, kept.parts, kept.complete) == (device, PARTS, True)
            np.testing.assert_array_equal(store.audio(kept.id), noise(PARTS * SIZE, seed_of(device, kept.id)))
            assert store.transcript(kept.id) is not None
    ids = {clip[0].clip for _, clip in clips}
    assert {clip.id for clip in store.clips()} == ids
    assert all(receiver.clips("stored") for receiver in receivers), "the work was not divided"
    answered = Count(clip for receiver in receivers for clip in receiver.clips("transcript"))
    told = Count(entry["clip"] for diary in diaries.values() for entry in diary.all("directive"))
    # What the killed one had recorded, and not yet told, is the only thing that may be missing; nothing is there twice.
    assert set(answered.values()) | set(told.values()) == {1}
    assert (ids - set(answered)) | (ids - set(told)) <= set(doomed.clips("complete"))


def seed_of(device: str, clip: str) -> int:
    return DEVICES.index(device) * CLIPS + int(clip.rpartition("-")[2]) // 10**6


def test_the_clip_of_a_killed_program_is_answered_by_another(place: Place, url: str, tmp_path: Path) -> None:
    keys, diary, far = Keys(tmp_path / "keys"), Diary(), Diary()
    (parts,) = [cut(noise(SIZE), SIZE // 4)]
    with ExitStack() as stack:
        doomed = run(stack, LISTENER_THAT_NEVER_ENDS, str(tmp_path / "keys"), url, place.root, place.database or "")
        doomed.wait("connected")
        sender = sender_of(stack, "dot", url, keys, tmp_path, diary)
        for part in parts:
            sender.submit(part)
        doomed.wait("listening")
        store = place.open()
        stack.callback(store.close)
        far_end = FarEnd(Cloud(store, Counter()), url, keys.far_end, on_event=far, share="group", look_s=0.1)
        stack.enter_context(far_end)
        far.wait("connected")
        assert far_end.wait_answered(0)
        assert store.unanswered() == [parts[0].clip], "the one that is at it lives"
        doomed.process.kill()
        assert far.wait("transcript")["clip"] == parts[0].clip
        assert diary.wait("directive") == {"name": "TurnEnd", "clip": parts[0].clip}
    assert far.all("complete") == []


ADDER = """
import sys
from tests.uplink_kit import cut, noise
from sim.cloud.store import ClipStore
store = ClipStore(sys.argv[1], sys.argv[2] or None)
print("ready", flush=True)
sys.stdin.readline()
won = set()  # who is behind finds a clip complete with each further part, and may have claimed it before
for number in range(5):
    for part in cut(noise(8_000, number), 400, begin=number * 10**6):
        if store.add(part) and store.claims.take(part.clip):
            won.add(part.clip)
for clip in sorted(won):
    print(f"won clip={clip}", flush=True)
for _ in range(50):
    print("serial", store.next_serial(7), flush=True)
"""


def test_programs_that_add_the_same_parts_at_one_moment_store_them_once(place: Place) -> None:
    with ExitStack() as stack:
        # Nobody has made the tables before: they also do that at one moment.
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ADDER, place.root, place.database or ""],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        lines = [line for process in processes for line in process.communicate(timeout=DEADLINE_S)[0].splitlines()]
    won = [line for line in lines if line.startswith("won")]
    assert len(won) == len(set(won)) == 5
    serials = [int(line.split()[1]) for line in lines if line.startswith("serial")]
    assert sorted(serials) == list(range(7, 157)), "each is given once"
    store = place.open()
    for number, clip in enumerate(store.clips()):
        assert (clip.parts, clip.complete) == (20, True)
        np.testing.assert_array_equal(store.audio(clip.id), noise(8_000, number))
    store.close()


def test_the_embedded_broker_is_refused_with_a_share(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["cloud", "--broker", "mqtt://127.0.0.1", "--share", "group", "--broker-profile", "embedded"]
    assert main(command) == 2
    assert "the embedded broker delivers nothing to a share" in capsys.readouterr().err


def test_a_share_must_have_a_name_that_a_topic_can_carry(tmp_path: Path) -> None:
    store = ClipStore(tmp_path / "cloud")
    for share in ("", "a/b", "+", "#", "x" * 41):
        with pytest.raises(AddressError, match="cannot name a share"):
            FarEnd(Cloud(store, Counter()), "mqtt://127.0.0.1", Keys(tmp_path).far_end, on_event=Diary(), share=share)
    store.close()
