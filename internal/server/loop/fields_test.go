package loop

import (
	"testing"

	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/testing/fields"
)

// TestEveryFieldIsHandedOver: a new field of what is handed over must be handed over too, or somebody have said that it need not
// be. The second list has those that are not.
func TestEveryFieldIsHandedOver(t *testing.T) {
	fields.Check(t, Loop{}, "number bus engine alarm listener device conns lastReporter unfinished",
		"host log accounts epoll bell events generation input maxPayload ringBytes bodies beginning worked late turns rivals "+
			"recent crowd resumed movedIn stopping finished incoming burying jobs ruling")
	fields.Check(t, listener{}, "Socket refused", "closed opens reserve")
	fields.Check(t, conn{}, "fd session peer user rings rest at blocked deaf logged", "generation events held handing foreign unfinished putOff inCrowd resumed ended")
	fields.Check(t, visitor{}, "user owner groups logged", "loop")
	fields.Check(t, rings{}, "segment reader writer window handles arena changed begun closed", "awake spoiled")
	fields.Check(t, handles{}, "bell theirs hearing share introduced", "")
	fields.Check(t, window{}, "loop conn ring wanting", "")
	fields.Check(t, ring.Reader{}, "shared data head ended end", "")
	fields.Check(t, ring.Writer{}, "shared data tail head begun skipped skip long", "shallow")
	fields.Check(t, ring.Window{}, "shared slots own data published taken reported freed more", "staged bodies")
}
