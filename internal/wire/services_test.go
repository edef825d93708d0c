package wire

import (
	"encoding/json"
	"reflect"
	"testing"

	"kbus.example/kbus/internal/testing/fields"
)

// TestService: a line is the JSON of all that there is to say of a service.
func TestService(t *testing.T) {
	for _, fill := range []bool{true, false} {
		var s, got Service
		if fill {
			fields.Fill(&s, func(p any) bool {
				f, is := p.(*float64)
				if is {
					*f = 1234567.000001
				}
				return is
			})
			s.Name = "$.A \"b\""
		}
		line := AppendService(nil, &s)
		if err := json.Unmarshal(line, &got); err != nil || !reflect.DeepEqual(got, s) || line[len(line)-1] != '\n' {
			t.Errorf("%s is %+v: %v", line, got, err)
		}
	}
}
