// A Charging Station made of `ocpp-rpc` with strict validation: boots, answers a few CALLs, reconnects by itself.
const { RPCClient, createRPCError } = require('ocpp-rpc');

const station = new RPCClient({
    endpoint: process.argv[2],
    identity: process.argv[3],
    protocols: ['ocpp2.0.1'],
    strictMode: true,
    backoff: { initialDelay: 100, maxDelay: 200 },
});

station.handle('GetVariables', ({ params }) => ({
    getVariableResult: params.getVariableData.map(({ component, variable, attributeType = 'Actual' }) => ({
        attributeStatus: 'UnknownComponent', component, variable, attributeType,
    })),
}));
station.handle('ChangeAvailability', () => ({ status: 'Accepted' }));
station.handle('TriggerMessage', () => ({ status: 'NotImplemented' }));
station.handle('DataTransfer', () => ({ status: 'UnknownVendorId' }));
station.handle(() => { throw createRPCError('NotImplemented'); });
station.on('open', () => station.call('BootNotification', {
    chargingStation: { model: 'strict', vendorName: 'nobody' }, reason: 'PowerUp',
}).catch(() => {}));
// Whoever starts it may do so before anybody listens; what comes later is the client's own affair.
const dial = () => station.connect().catch(() => setTimeout(dial, 100));
dial();
