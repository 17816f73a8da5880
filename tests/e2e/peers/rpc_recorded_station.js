// A Charging Station on `ocpp-rpc` with a password: says a few things, prints every message as JSON, and closes with 4002.
// Arguments: URL without identity, identity, password, and for wss the file of trusted roots.
const fs = require('fs');
const { RPCClient } = require('ocpp-rpc');

const [url, identity, password, ca] = process.argv.slice(2);
const station = new RPCClient({
    endpoint: url, identity, password,
    protocols: ['ocpp2.0.1'],
    strictMode: true,
    wsOpts: ca ? { ca: fs.readFileSync(ca) } : {},
    reconnect: false,
});
const tell = (event) => console.log(JSON.stringify(event));
station.on('message', ({ message, outbound }) => tell({ outbound, text: message.toString() }));
station.on('close', ({ code, reason }) => tell({ closed: code, reason }));
station.handle('TriggerMessage', () => ({ status: 'NotImplemented' }));

async function talk() {
    await station.connect();
    const chargingStation = { model: 'Zürich', vendorName: 'nobody', serialNumber: 'SN-99887766' };
    await station.call('BootNotification', { chargingStation, reason: 'PowerUp' });
    await station.call('StatusNotification', {
        timestamp: new Date().toISOString(), connectorStatus: 'Available', evseId: 1, connectorId: 1,
    });
    for (let i = 0; i < 20; i += 1) await station.call('Heartbeat', {});
    await station.close({ code: 4002, reason: 'enough' });
}
talk().catch((error) => tell({ failed: String(error) }));
