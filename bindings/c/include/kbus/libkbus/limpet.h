/* Where programs written for the original look for it. */
#include "../limpet.h"
