// What an annotator says of a clip, by digit keys or by mouse.

const YES_NO = { yes: true, no: false, unclear: null };
const KEYS = {
  1: ['addressed', 'yes'], 2: ['addressed', 'no'], 3: ['addressed', 'unclear'],
  4: ['wake_word', 'yes'], 5: ['wake_word', 'no'], 6: ['wake_word', 'unclear'],
  7: ['kind', 'mundane'], 8: ['kind', 'upsetting'], 9: ['kind', 'criminal'],
};

export class Labels {
  constructor(form) {
    this.form = form;
    this.transcript = form.querySelector('#transcript');
    this.language = form.querySelector('#language');
    this.count = form.querySelector('#speakers');
  }

  show(task) {
    this.transcript.value = task.transcript;
    for (const name of ['addressed', 'wake_word']) {
      for (const each of this.form.elements[name]) each.checked = false;
    }
    this.form.elements.kind.value = 'mundane';
    this.count.value = 1;
  }

  key(key) {
    const [name, value] = KEYS[key] || [];
    return name && (() => { this.form.elements[name].value = value; });
  }

  speakers(more) {
    this.count.value = Math.min(20, Math.max(0, Number(this.count.value) + more));
  }

  missing() {
    if (!this.form.elements.addressed.value) return 'Say first whether it was said to the device: 1, 2 or 3.';
    if (!this.form.elements.wake_word.value) return 'Say first whether the wake word was said: 4, 5 or 6.';
    if (!this.language.checkValidity()) return 'A language is two or three letters, such as en, or pt-BR.';
    return '';
  }

  value() {
    const { addressed, wake_word, kind } = this.form.elements;
    return {
      transcript: this.transcript.value,
      addressed: YES_NO[addressed.value],
      wake_word: YES_NO[wake_word.value],
      kind: kind.value,
      language: this.language.value,
      speakers: Number(this.count.value),
    };
  }
}
