'''The conformance suite: every station test of the certification profiles Core and Advanced Security, by its id.

`cases/` holds the tests, one module a functional block, `script.py` the vocabulary that they are written in, `states.py`
the states that they share; `arena.py` starts the station, `runner.py` plays, `catalogue.py` knows which tests apply.
May use transport, target, csms, ocppj and the lab; must not import the station, which has no privileges here.

A test begins with a station that is connected, booted and idle, and whose chatter so far is forgotten. It ends as soon
as it has seen what must happen; the station is thrown away. A whole one, in `cases/metering.py` say:

    @station_test("TC_G_02", needs=("plug-in", "unplug"))
    async def unplugging_frees_the_connector(s: Csms) -> None:
        """A connector whose cable is taken out reports Available."""
        await s.operator("plug-in", 1)
        await s.expect_status(1, "Occupied")
        await s.operator("unplug", 1)
        await s.expect_status(1, "Available")

- `needs` names the operator's words that the test uses (also through `states`): it is then played by hand at a real
  station. `security_profiles=(2, 3)` limits where it can be played, `slow=True` starts it early.
- Ask: `await s.call("Reset", {...})` gives the answer as a `View` (`answer["statusInfo.reasonCode"]`, None when absent);
  `s.accepted(action, payload, status="Scheduled")` checks `status` too; `s.call_error` wants a CALLERROR;
  `s.set_variable`, `s.get_variable` take component, name, value, `instance=`, `evse=`, `type_=`, `status=`.
- Expect: `await s.expect("TransactionEvent", {"eventType": "Ended"})` takes the first such message that nothing took
  yet, whatever else comes; the second argument is members by dotted path, or a predicate over the `View`.
  `await s.silence("TransactionEvent", for_s=1.0)`; `s.forget()` before a stimulus drops what was said before it.
  `s.hear` is `s.expect` with the arrival time (`.at`); `s.untaken("MeterValues")` lists without taking.
- Require: `s.require(condition, "what should hold", came)`. `judgement=True` marks what rests on a judgement or a
  recollection of ours, not on a requirement.
- Answer otherwise: `s.answer("Authorize", states.info("Invalid"))`, also a callable over the `View`, `SILENT`, or
  `error("InternalError")`, for `times=n`; `s.answer_properly()` ends that.
- Connections: `await s.close()`, `await s.cut()`, `await s.reconnected()`, `async with s.offline(): ...` (nobody listens
  inside; connected again behind it), `s.port.attempts`, `s.port.closed`, `await s.place.further_port()`.
- Do at the station: `await s.operator("present-token", states.TOKEN)`; the words are plug-in, unplug, start-power,
  stop-power, fault, clear-fault (each with an EVSE), present-token, cut-network, restore-network, power-cycle,
  shift-clock. Nobody there makes the test "not run".
- `states.Session` is one EV's visit: `states.plugged_in`, `authorized`, `charging`, `charging_session`,
  `stop_authorized`, `remotely_stopped`, `unplugged`, `finished`; `states.event(s, session, ...)` expects its next
  TransactionEvent.
'''
