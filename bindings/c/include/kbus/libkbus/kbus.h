/* Where programs written for the original look for it. */
#include "../kbus.h"
