// The web socket: it comes back by itself, and says again what is to be seen.

const SOONEST = 500; // ms
const LATEST = 5000;

export class Connection {
  // told: {picture(header, levels), state(message), reading(message), refused(text), link(open, text)}
  constructor(told) {
    this.told = told;
    this.pause = SOONEST;
    this.wanted = null;
    this.connect();
  }

  connect() {
    const address = new URL("pictures", location.href); // beside the page, wherever that is
    address.protocol = "ws:";
    address.hash = "";
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.answered = false;
    socket.onopen = () => this.send(this.wanted);
    socket.onmessage = (event) => {
      if (!this.answered) { // one too many is let in, and sent away without a word
        this.answered = true;
        this.pause = SOONEST;
        this.told.link(true, "");
      }
      this.take(event.data);
    };
    socket.onclose = (event) => {
      this.told.link(false, event.reason);
      setTimeout(() => this.connect(), this.pause);
      this.pause = Math.min(2 * this.pause, LATEST);
    };
  }

  look(wanted) {
    this.wanted = { do: "look", ...wanted };
    this.send(this.wanted);
  }

  send(message) {
    if (message && this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  take(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.kind === "refused") this.told.refused(message.text);
      else if (message.kind === "reading") this.told.reading(message);
      else this.told.state(message);
      return;
    }
    const length = new DataView(data).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    try {
      this.told.picture(header, new Uint8Array(data, 4 + length));
    } finally { // else it would be the last one
      this.send({ do: "shown", serial: header.serial });
    }
  }
}
