package main

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand"
	"reflect"
	"time"

	"sigs.k8s.io/randfill"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/apitesting/fuzzer"
	"k8s.io/apimachinery/pkg/api/resource"
	metafuzzer "k8s.io/apimachinery/pkg/apis/meta/fuzzer"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// fuzz makes count objects of every kind, from nearly empty to nearly full. The same seed gives the same.
func fuzz(codecs codecs, count int, seed int64, found func(schema.GroupVersionKind, runtime.Object)) {
	source := rand.NewSource(seed)
	var fillers []*randfill.Filler
	for _, nilChance := range []float64{0.5, 0.9, 0.1, 0.7} {
		texts := awkward
		if len(fillers) == 3 {
			texts = append(texts, unprintable...)
		}
		funcs := fuzzer.MergeFuzzerFuncs(metafuzzer.Funcs, func(serializer.CodecFactory) []any { return ownFuncs(texts) })
		filler := fuzzer.FuzzerFor(funcs, source, codecs.factory)
		fillers = append(fillers, filler.NilChance(nilChance).NumElements(0, 2).MaxDepth(40))
	}
	seen := map[reflect.Type]bool{}
	for _, known := range codecs.kinds() {
		kind, number := known.GroupVersionKind, count
		t := codecs.scheme.AllKnownTypes()[kind]
		if seen[t] {
			number = min(count, 1) // options are registered again in every group
		}
		seen[t] = true
		for i := range number {
			obj, err := codecs.scheme.New(kind)
			must(err)
			fillers[i%len(fillers)].Fill(obj)
			obj.GetObjectKind().SetGroupVersionKind(kind)
			found(kind, obj)
		}
	}
}

// ownFuncs replace upstream's where those avoid what is worth testing, and fill what they cannot.
func ownFuncs(texts []string) []any {
	return []any{
		func(s *string, c randfill.Continue) { *s = randomString(texts, c) },
		fillFloat, fillQuantity,
		func(t *metav1.Time, c randfill.Continue) { t.Time = randomTime(c).Truncate(time.Second) },
		func(t *metav1.MicroTime, c randfill.Continue) { t.Time = randomTime(c).Truncate(time.Microsecond) },
		func(b *[]byte, c randfill.Continue) { *b = randomBytes(c) },
		func(m *map[string][]byte, c randfill.Continue) {
			*m = nil
			for range c.Intn(3) {
				if *m == nil {
					*m = map[string][]byte{}
				}
				(*m)[randomString(texts, c)] = append([]byte{}, randomBytes(c)...)
			}
		},
		func(t **metav1.Time, c randfill.Continue) {
			// a pointer to the zero time is null in JSON, which is read as no pointer
			if c.Bool() {
				*t = &metav1.Time{Time: time.Unix(c.Int63n(1000*365*24*60*60), 0)}
			}
		},
		func(t **metav1.MicroTime, c randfill.Continue) {
			if c.Bool() {
				*t = &metav1.MicroTime{Time: time.UnixMicro(c.Int63n(1000 * 365 * 24 * 60 * 60 * 1000000))}
			}
		},
		func(d *metav1.Duration, c randfill.Continue) { d.Duration = time.Duration(randomInt(c)) },
		func(i *int64, c randfill.Continue) { *i = randomInt(c) },
		func(m *metav1.ListMeta, c randfill.Continue) { c.FillNoCustom(m) },
		func(s *metav1.LabelSelector, c randfill.Continue) { c.FillNoCustom(s) },
		func(m *metav1.ManagedFieldsEntry, c randfill.Continue) {
			c.FillNoCustom(m)
			if m.FieldsV1 != nil {
				m.FieldsV1 = &metav1.FieldsV1{}
				m.FieldsV1.SetRawBytes(randomJSONObject(c))
			}
		},
		func(m *metav1.FieldsV1, c randfill.Continue) { m.SetRawBytes(randomJSONObject(c)) },
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			m.Labels, m.Annotations = fewer(m.Labels), fewer(m.Annotations)
		},
		func(r *runtime.RawExtension, c randfill.Continue) { r.Raw = randomJSONObject(c) },
		func(u *runtime.Unknown, c randfill.Continue) {
			*u = runtime.Unknown{Raw: randomJSONObject(c), ContentType: runtime.ContentTypeJSON}
		},
		func(r *metav1.TableRow, c randfill.Continue) {
			c.Fill(&r.Object)
			c.Fill(&r.Conditions)
			for range c.Intn(4) {
				r.Cells = append(r.Cells, randomValue(c, 2))
			}
		},
		func(j *apiextensionsv1.JSON, c randfill.Continue) { j.Raw = randomJSON(c) },
		func(j *apiextensionsv1beta1.JSON, c randfill.Continue) { j.Raw = randomJSON(c) },
		func(s *apiextensionsv1.JSONSchemaProps, c randfill.Continue) { fillSchema(s, c) },
		func(s *apiextensionsv1beta1.JSONSchemaProps, c randfill.Continue) { fillSchema(s, c) },
		func(s *apiextensionsv1.JSONSchemaPropsOrArray, c randfill.Continue) { fillEither(s, c) },
		func(s *apiextensionsv1beta1.JSONSchemaPropsOrArray, c randfill.Continue) { fillEither(s, c) },
		func(s *apiextensionsv1.JSONSchemaPropsOrBool, c randfill.Continue) { fillEither(s, c) },
		func(s *apiextensionsv1beta1.JSONSchemaPropsOrBool, c randfill.Continue) { fillEither(s, c) },
		func(s *apiextensionsv1.JSONSchemaPropsOrStringArray, c randfill.Continue) { fillEither(s, c) },
		func(s *apiextensionsv1beta1.JSONSchemaPropsOrStringArray, c randfill.Continue) { fillEither(s, c) },
	}
}

// fewer drops empty maps, which do not come back from any encoding.
func fewer(entries map[string]string) map[string]string {
	if len(entries) == 0 {
		return nil
	}
	return entries
}

// awkward are strings that some reader or writer of YAML or JSON has taken for something else.
var awkward = []string{
	"", " ", "null", "~", "true", "yes", "no", "on", "y", "N", "0", "-1", "012", "0o14", "0x1F", "0b1", "1_000", "1e3", ".5",
	"+.inf", ".nan", "12:30:45", "2026-01-01", "2026-01-01T00:00:00Z", "=", "<<", "*a", "&a", "!a", "!!str", "%a", "@a", "`a`",
	"- a", "-", "--- a", "...", "? a", "a: b", "a:", ": a", "a #b", "#a", "[a", "]", "{a}", ",a", "|", ">", "'", "\"", "it's",
	"\\", "\\n", "a\nb", "a\n", "\n", "\na", "a\n\n", " a\n b", "\ta\n", "a\tb", "a\r\nb", "\r", "tail ", " lead", "<b>&",
	"\u0000", "\u0007", "\u001b", "\u00a0", "\u00e9", "\ufffd",
	"\U0001f600", "\U0010ffff", "\u65e5\u672c\u8a9e", "e\u0301",
}

// unprintable are strings that upstream's YAML reader refuses or folds unless they are escaped.
var unprintable = []string{"\u007f", "\u0080", "\u0085", "\u009f", "\ufeff", "\u2028", "\u2029", "\uffff", "\ufffe"}

func randomString(texts []string, c randfill.Continue) string {
	switch c.Intn(4) {
	case 0:
		return texts[c.Intn(len(texts))]
	case 1:
		return texts[c.Intn(len(texts))] + c.String(3) + texts[c.Intn(len(texts))]
	case 2:
		return string([]byte{'a' + byte(c.Intn(26)), 'a' + byte(c.Intn(26)), '0' + byte(c.Intn(10))})
	default:
		return c.String(0)
	}
}

func fillFloat(f *float64, c randfill.Continue) {
	some := []float64{0, 1, -1, 0.1, 1e21, 1e20, 123456789012345680000, 1e-7, 1e-6, 5e-324, math.MaxFloat64, 1 << 53, 2.5e15}
	*f = some[c.Intn(len(some))]
	if c.Bool() {
		*f = c.NormFloat64() * math.Pow(10, float64(c.Intn(40)-20))
	}
}

func fillQuantity(q *resource.Quantity, c randfill.Continue) {
	some := []string{"0", "1", "-1", "100m", "1500m", "1.5Gi", "1Ki", "1023Ki", "1e3", "1E", "9E", "10Ei", "0.1n", "1n", "-3.25u",
		"12345678901234567890", "0.000000001", "3Pi", "1e-3", "5e6", "0Ki", "0e3", "1024", "9223372036854775807"}
	formats := []resource.Format{resource.DecimalExponent, resource.BinarySI, resource.DecimalSI}
	if c.Bool() {
		*q = resource.MustParse(some[c.Intn(len(some))])
	} else {
		*q = *resource.NewScaledQuantity(randomInt(c)>>c.Intn(63), resource.Scale(c.Intn(13)-3))
		q.Format = formats[c.Intn(len(formats))]
		*q = resource.MustParse(q.String()) // some forms are read as another
	}
}

func randomInt(c randfill.Continue) int64 {
	some := []int64{0, 1, -1, 127, 128, 300, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1 << 53, 1000000, 1500000000}
	if c.Bool() {
		return some[c.Intn(len(some))]
	}
	return int64(c.Uint64()) >> c.Intn(64)
}

// randomBytes are none or some; no bytes at all are nil, as everywhere but in maps.
func randomBytes(c randfill.Continue) []byte {
	var data []byte
	for range c.Intn(2) * c.Intn(9) {
		data = append(data, byte(c.Uint32()))
	}
	return data
}

func randomTime(c randfill.Continue) time.Time {
	some := []time.Time{{}, time.Unix(0, 0), time.Unix(-1, 999999999), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(1900, 2, 28, 1, 2, 3, 4005, time.UTC), time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC)}
	if c.Intn(3) == 0 {
		return some[c.Intn(len(some))]
	}
	return time.Unix(c.Int63n(1000*365*24*60*60), c.Int63n(1000000000))
}

// randomValue is a JSON value as an unstructured object may hold it.
func randomValue(c randfill.Continue, depth int) any {
	switch choice := c.Intn(8); {
	case choice == 0:
		return nil
	case choice == 1:
		return c.Bool()
	case choice == 2:
		return randomInt(c)
	case choice == 3:
		return c.Float64() + 0.5
	case choice == 4 && depth > 0:
		list := []any{}
		for range c.Intn(3) {
			list = append(list, randomValue(c, depth-1))
		}
		return list
	case choice == 5 && depth > 0:
		return randomObject(c, depth-1)
	default:
		return randomString(awkward, c)
	}
}

func randomObject(c randfill.Continue, depth int) map[string]any {
	object := map[string]any{}
	for range c.Intn(4) {
		object[randomString(awkward, c)] = randomValue(c, depth)
	}
	return object
}

// randomJSON is not null, which is read as nothing.
func randomJSON(c randfill.Continue) []byte {
	for {
		if value := randomValue(c, 2); value != nil {
			return encoded(value)
		}
	}
}

func randomJSONObject(c randfill.Continue) []byte { return encoded(randomObject(c, 2)) }

// encoded is JSON without needless escapes, as it is written again.
func encoded(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	must(encoder.Encode(value))
	return bytes.TrimSpace(out.Bytes())
}

// fillSchema fills the fields of a JSONSchemaProps, those that lead to further schemas seldom.
func fillSchema(schema any, c randfill.Continue) {
	value := reflect.ValueOf(schema).Elem()
	for i := range value.NumField() {
		field := value.Field(i)
		switch kind := field.Kind(); {
		case kind == reflect.Map || kind == reflect.Slice || kind == reflect.Pointer:
			if c.Intn(12) == 0 {
				c.Fill(field.Addr().Interface())
			}
		default:
			c.Fill(field.Addr().Interface())
		}
	}
}

// fillEither fills a schema or what may stand in its place; both being absent is not seen on the wire.
func fillEither(either any, c randfill.Continue) {
	value := reflect.ValueOf(either).Elem()
	chosen := c.Intn(2)
	if value.Type().Field(0).Name == "Allows" && chosen == 1 {
		value.Field(0).SetBool(true)
	}
	field := value.Field(chosen)
	c.Fill(field.Addr().Interface())
	switch {
	case field.Kind() == reflect.Pointer && field.IsNil():
		field.Set(reflect.New(field.Type().Elem()))
	case field.Kind() == reflect.Slice && field.Len() == 0:
		field.Set(reflect.MakeSlice(field.Type(), 1, 1))
	}
}
