package loop

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/logger"
)

// noteSwitched logs what switches of the bus have been turned. Replier bind events may be turned on and off by anybody,
// and as often as they like: of those only the first in a row by one process is said aloud.
func (l *Loop) noteSwitched() {
	for _, w := range l.bus.Switched() {
		level := logger.LevelInfo
		if w.Switch == bus.SwitchReportBinds {
			if w.By.PID == l.lastReporter {
				level = logger.LevelDebug
			}
			l.lastReporter = w.By.PID
		}
		attrs := []logger.Attr{logger.String("switch", string(w.Switch)), logger.String("from", w.From), logger.String("to", w.To)}
		if w.By == (bus.Owner{}) {
			l.log.LogAttrs(level, "switch of the bus put back", attrs...)
			continue
		}
		attrs = append(attrs, logger.String("program", w.By.Program))
		l.report(level, w.By.PID, w.By.UID, "switch of the bus turned", attrs...)
	}
}

// Restore puts the switches of the bus back to what the settings say.
func (l *Loop) Restore() {
	l.bus.Restore()
	l.noteSwitched()
}
