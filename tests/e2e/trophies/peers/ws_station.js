// A Charging Station made of one release of the `ws` package, which NODE_PATH tells: `ws_station.js URL`.
// Boots, answers each CALL with a CALLERROR or a refusal, dials again when it is cut off.
const WebSocket = require("ws");

const url = process.argv[2];
const BOOT = { reason: "PowerUp", chargingStation: { model: "plain", vendorName: "nobody" } };

function refuse(one) {
  return { attributeStatus: "UnknownComponent", component: one.component, variable: one.variable };
}

function answer(call) {
  const [, id, action, payload] = call;
  try {
    if (action === "GetVariables") return [3, id, { getVariableResult: payload.getVariableData.map(refuse) }];
    return [4, id, "NotImplemented", "", {}];
  } catch {
    return [4, id, "FormatViolation", "", {}];
  }
}

function take(text) {
  try {
    const message = JSON.parse(text);
    return message[0] === 2 ? answer(message) : undefined;
  } catch {
    return undefined;
  }
}

function dial() {
  const socket = new WebSocket(url, ["ocpp2.0.1"]);
  socket.on("open", () => socket.send(JSON.stringify([2, "boot", "BootNotification", BOOT])));
  socket.on("message", (text) => {
    const said = take(text);
    if (said) socket.send(JSON.stringify(said));
  });
  socket.on("error", (error) => console.error(error.message));
  socket.on("close", () => setTimeout(dial, 100));
}

dial();
