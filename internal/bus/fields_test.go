package bus

import (
	"testing"

	"kbus.example/kbus/internal/testing/fields"
)

// A field that is added to a bus must be handed over too, or somebody must have said that it need not be. So here all fields
// are named, those that are not handed over in the second list. Whether each that is comes out as it went in, the
// comparison with the model tells (internal/bus/model, TestCompareHandedOver).
func TestEveryFieldIsHandedOver(t *testing.T) {
	for _, of := range []struct {
		is         any
		over, rest string
	}{
		{Bus{}, "config maxMessageBytes verbose reportBinds stopping nextKsock nextSerial ksocks newest shared bindings accounts startable " +
			"departed decided quickly switched askers carriage wakes",
			"store litter walks behind slow permission plan tapped"},
		{Ksock{}, "id owner open older newer strict queue maxMessages onlyOnce lastPushed aside asideCount asideOwn asks missed pending " +
			"blocker short blocks lastSent outstanding outstandingMost unreplied unrepliedMost givenUp lastFrom bindings carries names woken due account",
			"Tag window known"},
		{queue{}, "entries front back toLook lookFrom", "holes index unindexed keptBytes keptFrom purging steps"},
		{entry{}, "msg via number missed", ""},
		{missed{}, "total since reported got", ""},
		{binding{}, "card ksock name replier standby of made wildcard queued older newer", "deposed"},
		{bindings{}, "byClass newest made repliers reported aside", "changes walks scratch"},
		{stored{}, "head buf body nameLen traceLen refs audience holder more", "lent kept wasKept borrowed class next"},
		{setAside{}, "oldest newest count number tragic", ""},
		{asideEvent{}, "ksock via msg number older newer next", ""},
		{startable{}, "names waiting calls", "of ever refused"},
		{room{}, "name held shares at", ""},
		{held{}, "msg payer number", ""},
		{askers{}, "others strict strictOpen", ""},
		{departed{}, "owners recent next sweep", "sorting"},
		{carriage{}, "network namers seen turn", ""},
		{hearing{}, "ReplayWindow way used", ""},
		{wakes{}, "readers due pending short worked", "handedOut tries"},
		{givenUp{}, "times all", ""},
		{account{}, "uid ksocks bindings wildcards bytes", "windows billTurn billed billedMessage"},
		{Owner{}, "UID GID PID Program Administrator Original", "Judge"},
	} {
		fields.Check(t, of.is, of.over, of.rest)
	}
}
