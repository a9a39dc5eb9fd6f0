"""What a methods section needs of a run or a measurement: versions, hashes, settings, seeds and sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import LabError
from sim.lab.results import RESULTS, read_results
from wakeword.models import LICENCE

# As the packages, their documentation or the papers' title pages have them; what none of these told is left out.
SOURCES = {
    "openwakeword": "Scripka, D.: openWakeWord. Models under CC BY-NC-SA 4.0.",
    "embedding": "Google: speech_embedding. Apache-2.0, arXiv:2002.01322.",
    "micro": "Ahrendt, K.: microWakeWord. Models through pymicro-wakeword, Apache-2.0.",
    "pocketsphinx": "Huggins-Daines, D.: PocketSphinx.",
    "flite": "Black, A. W., Lenzo, K. A.: Flite: a small, fast speech synthesis engine. Carnegie Mellon University.",
    "espeak": "eSpeak NG.",
    "rooms": "Allen, J. B., Berkley, D. A.: Image method for efficiently simulating small-room acoustics. J. Acoust. "
    "Soc. Am. 65, 1979; Scheibler, R., Bezzam, E., Dokmanić, I.: Pyroomacoustics. ICASSP 2018, arXiv:1710.04196.",
    "wilson": "Wilson, E. B.: Probable inference, the law of succession, and statistical inference. J. Amer. Stat. "
    "Assoc. 22, 1927.",
    "garwood": "Garwood, F.: Fiducial limits for the Poisson distribution. Biometrika 28, 1936.",
    "bootstrap": "Efron, B., Tibshirani, R. J.: An Introduction to the Bootstrap. 1993.",
    "gamma": "Fay, M. P., Feuer, E. J.: Confidence intervals for directly standardized rates: a method based on the "
    "gamma distribution. Statistics in Medicine 16, 1997.",
    "mixture": "Hesterberg, T.: Weighted average importance sampling and defensive mixture distributions. "
    "Technometrics 37, 1995; Veach, E., Guibas, L. J.: Optimally combining sampling techniques for Monte Carlo "
    "rendering. SIGGRAPH 1995.",
    "series": "Madansky, A.: Approximate confidence limits for the reliability of series and parallel systems. "
    "Technometrics 7, 1965.",
    "hansen": "Hansen, M. H., Hurwitz, W. N.: On the theory of sampling from finite populations. Annals of "
    "Mathematical Statistics 14, 1943.",
    "kish": "Kish, L.: Survey Sampling. Wiley, 1965.",
    "pets": "Dubois, D. J., Kolcun, R., Mandalari, A. M., Paracha, M. T., Choffnes, D., Haddadi, H.: When Speakers Are "
    "All Ears: Characterizing Misactivations of IoT Smart Speakers. PoPETs 2020(4).",
    "distance": "Schönherr, L., Golla, M., Eisenhofer, T., Wiele, J., Kolossa, D., Holz, T.: Unacceptable, where is my "
    "privacy? Exploring Accidental Triggers of Smart Speakers. 2020 (inspired the distance, with other weights).",
}


@dataclass(frozen=True)
class Citation:
    """`facts` in order, each a name and what it is; `text`: the same as sentences; `sources` to be cited."""

    facts: Mapping[str, Any]
    text: tuple[str, ...]
    sources: tuple[str, ...]


def cite(where: Path) -> Citation:
    """Of a run directory, or of what a lab command left. Raises LabError."""
    path = where / "run.json" if (where / "run.json").is_file() else where
    path = path / RESULTS if path.is_dir() else path
    found = _run(path) if path.name == "run.json" else read_results(path)
    manifest = found["manifest"]
    command = found.get("command", "sim" if manifest.get("scenario") else "device")
    facts = {
        "command": f"misheard {command}",
        "sha256 of the result": hashlib.sha256(path.read_bytes()).hexdigest(),
        **{
            key: manifest[key]
            for key in ("versions", "seed", "engines", "models", "clips", "conditions")
            if key in manifest
        },
        **{key: manifest[key] for key in ("passes", "snr_db", "per_hour", "sound", "thresholds") if key in manifest},
    }
    text = [*_tool(command, manifest), *_detector(manifest), *_material(found, manifest)]
    return Citation(
        facts, tuple(text), tuple(SOURCES[key] for key in dict.fromkeys(_sources(command, found, manifest)))
    )


def _run(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise LabError(f"{path} cannot be read; give a run directory, or what a lab command left") from None
    if not isinstance(found, dict) or not isinstance(found.get("manifest"), dict):
        raise LabError(f"{path} is of no run; give a run directory, or what a lab command left")
    return found


def _tool(command: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    versions = dict(manifest.get("versions", {}))
    tool, python, machine = (versions.pop(key, "?") for key in ("misheard", "python", "machine"))
    seed = f" with seed {manifest['seed']}" if manifest.get("seed") is not None else ""
    rest = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    yield f"We used misheard {tool} ({command}){seed}, on Python {python}, {machine}, with {rest}."


def _detector(manifest: Mapping[str, Any]) -> Iterator[str]:
    for each in manifest.get("engines", ()):
        digest, own = str(each["sha256"])[:16], f"threshold {each['threshold']:g}"
        yield f"Detector: {each['engine']}, model {each['model']} (SHA-256 {digest}…), {own}."
    for name, digest in dict(manifest.get("models", {})).items():
        at = dict(manifest.get("thresholds", {})).get(name)
        yield f"Detector: {manifest.get('engine', '?')}, model {name} (SHA-256 {str(digest)[:16]}…), threshold {at}."
    device = manifest.get("device")
    wake = manifest.get("wake") or (device.get("wake") if isinstance(device, dict) else None)
    if wake:
        how = f"{wake['patience_hops']} hop(s) of 80 ms at the threshold, hysteresis {wake['hysteresis']:g}"
        yield f"A wake: {how}, {wake['refractory_ms']} ms without another. Wakes were counted as events, not frames."


def _material(found: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    of = found.get("set")
    if of:
        hours = f"{of['hours_without_the_word']:.2f} h without the wake word"
        digest = str(manifest["clips"])[:16]
        yield f"Test set: {of['clips']} clips, {of['words']} wake words, {hours} (SHA-256 {digest}…)."
        for voice, told in dict(manifest.get("voices", {})).items():
            yield f"Voice {voice}: {told}."
        yield f"Conditions: {'; '.join(manifest['conditions'])}. Left out: {len(found['left_out'])}."
        yield "Miss rates have Wilson's 95 % intervals, rates of false wakes Garwood's."
        if "differences" in found:
            yield "Differences between detectors have paired bootstrap intervals over clips (95 %, 2,000 draws)."
    if "triggers" in found:
        hashed = f"{manifest['candidates']} candidates (SHA-256 {str(manifest['candidates_sha256'])[:16]}…)"
        yield f"{hashed}, said by every voice and scored at eight places 10 ms apart; {found['woke']} woke a detector."
        for voice, told in dict(manifest["voices"]).items():
            yield f"Voice {voice}: {told}."
        looked = f"where the first detector woke, a second look ({manifest['look']}) was taken"
        yield f"{found['confirmed']} were said in five sentences and replayed ten times at drawn conditions; {looked}."
    if "study" in found or "media" in found:
        yield "Activations of one device within 5 s were taken as one; rates are of distinct ones over two passes."
    if "fleet" in found:
        of, plays = found["fleet"], found["estimates"]["plays"]
        size = f"{of['homes']} homes over {of['days']} days ({of['device_days']} device-days)"
        yield f"Fleet: {size}, of which {sum(plays.values())} stretches were played and weighted back. {found['over']}"
        yield f"Assumed: {', '.join(found['assumed'])}."
    scenario = manifest.get("scenario")
    if isinstance(scenario, dict):
        recognizers = ", ".join(manifest.get("recognizers", ())) or "none"
        sound = f"SHA-256 of what the microphone heard {str(manifest.get('sound', '?'))[:16]}…"
        yield f"Scenario {scenario.get('name')}, recognizer {recognizers}; {sound}."


def _sources(command: str, found: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    engines = {each["engine"] for each in manifest.get("engines", ())} | {manifest.get("engine")}
    if engines & {"openwakeword", "reference"}:
        yield from ("openwakeword", "embedding")
    if "micro" in engines:
        yield "micro"
    told = json.dumps(found)
    if "pocketsphinx" in manifest.get("recognizers", ()) or found.get("suspected"):
        yield "pocketsphinx"
    if "flite:" in told:
        yield "flite"
    if "espeak:" in told:
        yield "espeak"
    if manifest.get("scenario") or any("room" in each for each in manifest.get("conditions", ())):
        yield "rooms"
    if command.startswith("lab"):
        yield from ("wilson", "garwood")
    if "differences" in found or "study" in found or "fleet" in found:
        yield "bootstrap"
    if "fleet" in found:
        yield from ("rooms", "gamma", "mixture", "hansen", "kish", "series")
    if command in ("lab pets", "lab fleet"):
        yield "pets"
    if command == "lab mine":
        yield from ("pocketsphinx", "rooms", "distance")


def licence(citation: Citation) -> str | None:
    """Under what the models are, where that binds who publishes."""
    return LICENCE if SOURCES["openwakeword"] in citation.sources else None
