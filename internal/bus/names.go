package bus

import "kbus.example/kbus/message"

// checkBinding is the rule for the names that k binds: the original's for an original Ksock (F50).
func (k *Ksock) checkBinding(name string) message.Condition {
	if k.owner.Original {
		return message.CheckOriginalBinding(name)
	}
	return message.CheckBinding(name)
}

// CheckName is the rule for the names of messages that k sends.
func (k *Ksock) CheckName(name []byte) message.Condition {
	if k.owner.Original {
		return message.CheckOriginalName(name)
	}
	return message.CheckName(name)
}
