// A Charging Station on `ocpp-rpc` over TLS. Arguments: URL without identity, identity, the file of trusted roots.
const fs = require('fs');
const { RPCClient, createRPCError } = require('ocpp-rpc');

const station = new RPCClient({
    endpoint: process.argv[2],
    identity: process.argv[3],
    protocols: ['ocpp2.0.1'],
    wsOpts: { ca: fs.readFileSync(process.argv[4]) },
    backoff: { initialDelay: 200, maxDelay: 300 },
});

station.handle(() => { throw createRPCError('NotImplemented'); });
station.on('open', () => station.call('BootNotification', {
    chargingStation: { model: 'plain', vendorName: 'nobody' }, reason: 'PowerUp',
}).catch(() => {}));
const dial = () => station.connect().catch(() => setTimeout(dial, 300));
dial();
