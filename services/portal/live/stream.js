// The alert stream: fetch and a reader, because EventSource cannot send the Authorization header.
// A lost connection is made anew and resumed after the last alert that was taken in, so none is skipped.

const WAITS_S = [1, 2, 4, 8, 15];
const MAX_WAIT_S = 60;
const SILENCE_S = 45; // three heartbeats of the server
const MAX_FRAME = 1_000_000; // characters of one frame

export class Refused extends Error {}

export async function getJson(path, key) {
  const response = await fetch(path, { headers: authorization(key), cache: "no-store" });
  if (response.status === 401 || response.status === 403) throw new Refused("The key is not accepted.");
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return response.json();
}

// hooks: line(state, words), connected(resumed) → promise, alert(event, seq), refused(words), restarted()
export class Stream {
  #key;
  #hooks;
  #last = "";
  #wake = null;
  #stopped = false;

  constructor(key, hooks) {
    this.#key = key;
    this.#hooks = hooks;
    addEventListener("online", () => this.retryNow());
  }

  retryNow() {
    this.#wake?.();
  }

  async follow() {
    let failures = 0;
    while (!this.#stopped) {
      this.#hooks.line("connecting", failures ? "Connecting again" : "Connecting");
      let wait = 0;
      try {
        wait = await this.#once(() => (failures = 0));
      } catch {
        // whatever broke the connection, the answer is the same: try again
      }
      if (this.#stopped) return;
      wait ||= WAITS_S[Math.min(failures, WAITS_S.length - 1)] * (0.8 + 0.4 * Math.random());
      failures += 1;
      this.#hooks.line("lost", `Trying again in ${Math.ceil(wait)} s`);
      await this.#pause(wait);
    }
  }

  // One connection, until it ends. Returns the seconds the server asks to wait; 0 when it asks for none.
  async #once(isUp) {
    const giveUp = new AbortController();
    let silence = setTimeout(() => giveUp.abort(), SILENCE_S * 1000);
    try {
      const headers = authorization(this.#key);
      if (this.#last) headers["Last-Event-ID"] = this.#last;
      const response = await fetch("/v1/alerts", { headers, cache: "no-store", signal: giveUp.signal });
      if (response.status === 401 || response.status === 403) {
        this.#stopped = true;
        this.#hooks.refused("The key is not accepted. Paste a valid one.");
        return 0;
      }
      if (response.status === 409) {
        this.#stopped = true;
        this.#hooks.restarted();
        return 0;
      }
      if (!response.ok) return Math.min(Number(response.headers.get("retry-after")) || 0, MAX_WAIT_S);
      const resumed = this.#last !== "";
      const shown = this.#hooks.connected(resumed);
      shown.catch(() => giveUp.abort());
      shown.then(() => {
        isUp();
        this.#hooks.line("live", "Live");
      }, () => {});
      const lines = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await lines.read();
        if (done) return 0;
        clearTimeout(silence);
        silence = setTimeout(() => giveUp.abort(), SILENCE_S * 1000);
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        if (rest.length > MAX_FRAME) throw new Error("frame too long");
        for (const frame of frames) this.#take(frame);
      }
    } finally {
      clearTimeout(silence);
      giveUp.abort();
    }
  }

  #take(frame) {
    let id = "";
    let data = "";
    for (const line of frame.split("\n")) {
      if (line.startsWith("id:")) id = line.slice(3).trim();
      else if (line.startsWith("data:")) data += line.slice(5).trimStart();
    }
    if (!data) return;
    this.#hooks.alert(JSON.parse(data), Number(id));
    this.#last = id;
  }

  #pause(seconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).finally(() => (this.#wake = null));
  }
}

function authorization(key) {
  return { Authorization: `Bearer ${key}` };
}
