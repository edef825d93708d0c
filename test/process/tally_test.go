package process

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"kbus.example/kbus"
)

// tally is the figures of all scenes.
type tally struct {
	scenes, asked, replies, tooLate, nameless int

	statuses map[string]int
	told     durations
}

func (t *tally) add(all []seen, killed time.Time) {
	t.scenes++
	if t.statuses == nil {
		t.statuses = map[string]int{}
	}
	for _, s := range all {
		t.asked += len(s.Asked)
		t.tooLate += s.TooLate
		t.nameless += s.Nameless
		for _, m := range s.Got {
			if m.Kind() == kbus.ReplyKind && m.To == s.ID {
				t.replies++
			}
		}
		for _, status := range s.Statuses {
			t.statuses[status.Name]++
			t.told = append(t.told, time.Unix(0, status.At).Sub(killed))
		}
	}
}

func (t *tally) String() string {
	text := fmt.Sprintf("%d times: %d Requests = %d Replies", t.scenes, t.asked, t.replies)
	for _, name := range slices.Sorted(maps.Keys(t.statuses)) {
		text += fmt.Sprintf(" + %d %s", t.statuses[name], name)
	}
	return text
}
