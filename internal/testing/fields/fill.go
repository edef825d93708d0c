package fields

import (
	"fmt"
	"reflect"
)

// Fill puts something else than zero into everything that p points to: two into each list and each map, and a value into each
// pointer. other fills what only it can; interfaces stay nil. So a test sees a field that is forgotten on its way
// somewhere.
func Fill(p any, other func(p any) (filled bool)) {
	n := 0
	fill(reflect.ValueOf(p).Elem(), other, &n)
}

func fill(v reflect.Value, other func(any) bool, n *int) {
	if other(v.Addr().Interface()) {
		return
	}
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n%255) + 1)
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), other, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), other, n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, other, n)
			fill(value, other, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), other, n)
		}
	case reflect.Interface:
	default:
		panic("fields: what is to be put into " + v.Type().String() + "?")
	}
}
