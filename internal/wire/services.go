package wire

import (
	"fmt"

	"kbus.example/kbus/internal/jsontext"
)

// Services reports the names that can be started, a line of JSON for each: a report for people and for programs that watch
// over services, not for the way of messages.

// Service is one of them.
type Service struct {
	Name           string  `json:"name"`
	Program        string  `json:"service"` // or the unit
	File           string  `json:"file"`    // that says so
	State          string  `json:"state"`   // idle, starting, running, failed
	PID            uint32  `json:"pid"`     // of its program; 0: none that the daemon has started
	Replier        uint32  `json:"replier"` // Ksock id, 0 for none
	ReplierPID     uint32  `json:"replier_pid"`
	Held           int     `json:"held"`     // Requests that wait for it
	Failures       int     `json:"failures"` // in a row
	LastFailure    string  `json:"last_failure"`
	LastFailureAgo float64 `json:"last_failure_ago"` // seconds
	NextTryIn      float64 `json:"next_try_in"`      // seconds
}

// AppendService appends a line.
func AppendService(b []byte, s *Service) []byte {
	b = appendText(append(b, '{'), "name", s.Name)
	b = appendText(append(b, ','), "service", s.Program)
	b = appendText(append(b, ','), "file", s.File)
	b = appendText(append(b, ','), "state", s.State)
	b = fmt.Appendf(b, `,"pid":%d,"replier":%d,"replier_pid":%d,"held":%d,"failures":%d,`, s.PID, s.Replier, s.ReplierPID, s.Held, s.Failures)
	b = appendText(b, "last_failure", s.LastFailure)
	return fmt.Appendf(b, `,"last_failure_ago":%g,"next_try_in":%g}`+"\n", s.LastFailureAgo, s.NextTryIn)
}

func appendText(b []byte, key, text string) []byte {
	return jsontext.AppendString(append(jsontext.AppendString(b, key), ':'), text)
}
