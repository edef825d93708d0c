package kbus

import (
	"fmt"
	"strings"
)

// ParseBindingsReport reads a bindings report, ours or that of an original KBUS. Lines that begin with # say nothing
// (R8.3).
func ParseBindingsReport(report string) ([]BindingInfo, error) {
	var list []BindingInfo
	for line := range strings.Lines(report) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var b BindingInfo
		var as string
		if _, err := fmt.Sscanf(line, "%d: %d %d %s %s", &b.Bus, &b.Ksock, &b.PID, &as, &b.Name); err != nil {
			return list, fmt.Errorf("kbus: bindings report: %q: %w", line, err)
		}
		if as == "R" {
			b.As = Replier
		}
		list = append(list, b)
	}
	return list, nil
}
