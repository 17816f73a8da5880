// A CSMS made of `ocpp-rpc` with strict validation of ocpp2.0.1 that a test drives, by the same commands and with the
// same reports as driven_ocpp_csms.py; those that it knows are call, answer, drop and deaf.
const fs = require('fs');
const https = require('https');
const http = require('http');
const readline = require('readline');
const { RPCServer, createRPCError } = require('ocpp-rpc');

const given = Object.fromEntries(
    process.argv.slice(2).reduce((pairs, word, at, all) =>
        word.startsWith('--') ? [...pairs, [word.slice(2), all[at + 1]]] : pairs, []));
const tell = event => process.stdout.write(JSON.stringify(event) + '\n');
const answers = {
    Authorize: { idTokenInfo: { status: 'Accepted' } },
    BootNotification: { interval: 300, status: 'Accepted' },
    SignCertificate: { status: 'Accepted' },
};
let station = null;
let deaf = false;

const csms = new RPCServer({ protocols: ['ocpp2.0.1'], strictMode: ['ocpp2.0.1'] });
csms.auth((accept, reject, handshake) => {
    if (deaf) return reject(503);
    const expected = given.credentials;
    const password = handshake.password ? handshake.password.toString() : '';
    const shown = `${handshake.identity}:${password}`;
    if (expected && shown !== expected) {
        tell({ refused: shown });
        return reject(401);
    }
    return accept({ shown: handshake.headers.authorization || '' });
});
csms.on('client', client => {
    station = client;
    tell({ connected: client.identity, authorization: client.session.shown });
    client.on('disconnect', () => tell({ disconnected: client.identity }));
    client.on('close', () => tell({ disconnected: client.identity }));
    client.on('strictValidationFailure', ({ error }) => tell({ invalid: String(error), details: error.details }));
    client.handle(({ method, params }) => {
        tell({ heard: method, payload: params });
        if (!(method in answers) && !/^(Heartbeat|StatusNotification|TransactionEvent|MeterValues|Notify|SecurityEvent|LogStatus|FirmwareStatus)/.test(method)) {
            throw createRPCError('NotImplemented');
        }
        const answer = { ...(answers[method] || {}) };
        if (method === 'BootNotification' || method === 'Heartbeat') answer.currentTime = new Date().toISOString();
        return answer;
    });
});

const tls = given.cert && {
    cert: fs.readFileSync(given.cert), key: fs.readFileSync(given.key),
    ...(given.ca ? { ca: fs.readFileSync(given.ca), requestCert: true, rejectUnauthorized: true } : {}),
};
const server = tls ? https.createServer(tls) : http.createServer();
server.on('upgrade', csms.handleUpgrade);
server.listen(0, '127.0.0.1', () => tell({ listening: server.address().port }));

readline.createInterface({ input: process.stdin }).on('line', async line => {
    const order = JSON.parse(line);
    if ('answer' in order) answers[order.answer] = order.payload;
    else if ('deaf' in order) deaf = order.deaf;
    else if ('drop' in order) station.close({ code: 1001, force: true }).catch(() => {});
    else {
        try {
            tell({ answered: order.call, payload: await station.call(order.call, order.payload) });
        } catch (error) {
            tell({ failed: order.call, why: String(error) });
        }
    }
}).on('close', () => process.exit(0));
