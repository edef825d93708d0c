package mcap

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
)

// An object that is no event is refused in one line that says what is wrong.
func TestNoEvent(t *testing.T) {
	for object, says := range map[string]string{
		`{"time":"2026-11-30T10:00:00Z","happened":"sent","id":"x"}`:           `"x" is not two numbers, as 0:42`,
		`{"time":"2026-11-30T10:00:00Z","happened":"sent","in_reply_to":"1:"}`: `"1:" is not two numbers, as 0:42`,
		`{"time":"9999-12-31T23:59:59Z","happened":"sent"}`:                    "the time 9999-12-31T23:59:59Z is too far away",
		`{"time":"2026-11-30T10:00:00Z","happened":"danced"}`:                  `"danced" is no kind of event`,
		`{"time":"today","happened":"sent"}`:                                   "cannot parse",
		`{`:                                                                    "unexpected end of JSON input",
	} {
		var e event.Event
		if err := parseObject([]byte(object), &e); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", object, err)
		}
	}
}
