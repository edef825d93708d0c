/* For programs that say #include <kbus.h>. */
#include "kbus/kbus.h"
