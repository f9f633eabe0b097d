package bus

import (
	"reflect"
	"testing"

	"github.com/webazaar/waybill/internal/pusher"
)

// Every field is carried, those that will be added, too.
func TestMessageIsWhole(t *testing.T) {
	t.Parallel()
	var m pusher.Message
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case f.Kind() == reflect.String:
			f.SetString("text of " + v.Type().Field(i).Name)
		case f.CanInt():
			f.SetInt(-7)
		case f.Kind() == reflect.Slice:
			f.SetBytes([]byte("\x00\xff"))
		default:
			t.Fatalf("a field of kind %s is not thought of", f.Kind())
		}
	}
	got, err := decode(encode(m))
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v came back as %+v, %v", m, got, err)
	}
}

func TestMessageOfOtherReleases(t *testing.T) {
	t.Parallel()
	m := pusher.Message{Channel: "c", Event: "e", Except: "1.2", Data: []byte("data")}
	newer := append(encode(m), 3, 'n', 'e', 'w')
	if got, err := decode(newer); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("with a field that is not known: %+v, %v", got, err)
	}
	older := []byte{2, 1, 'c', 1, 'e'}
	if got, err := decode(older); err != nil || got.Channel != "c" || got.Event != "e" || got.Data != nil {
		t.Errorf("without fields that are known: %+v, %v", got, err)
	}
}

func TestMessageThatIsNone(t *testing.T) {
	t.Parallel()
	for _, b := range []string{"", "\x00", "\x02\x05ab", "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\xff", "{\"channel\":1}"} {
		if m, err := decode([]byte(b)); err == nil {
			t.Errorf("%q was read as %+v", b, m)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(pusher.Message{Channel: "c", Event: "e", Except: "1.2", Data: []byte("data")}))
	f.Add([]byte("\x02\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(m))
		if err != nil || again.Channel != m.Channel || again.Event != m.Event || string(again.Data) != string(m.Data) {
			t.Errorf("%+v came back as %+v, %v", m, again, err)
		}
	})
}
