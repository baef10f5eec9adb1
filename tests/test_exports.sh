# Only sp_ names leave libspusk.so, and enough of them for the check to mean something.
library=$SPUSK_BUILD/libspusk.so
count=$(nm -D --defined-only "$library" | awk '$3 ~ /^sp_/' | wc -l)

echo 1..3
if sh "$SPUSK_SOURCE/tools/check_exports.sh" "$library"; then
    echo 'ok 1 - only sp_ names are exported'
else
    echo 'not ok 1 - only sp_ names are exported'
fi
if [ "$count" -ge 100 ]; then
    echo 'ok 2 - at least 100 names are exported'
else
    echo "# $count names"
    echo 'not ok 2 - at least 100 names are exported'
fi
# The check itself must be able to fail.
cat >other.c <<'END'
__attribute__((visibility("default"))) int other_name(void);
int other_name(void) { return 0; }
END
${CC:-cc} -shared -fPIC other.c -o libother.so
if sh "$SPUSK_SOURCE/tools/check_exports.sh" ./libother.so >/dev/null; then
    echo 'not ok 3 - another name is found'
else
    echo 'ok 3 - another name is found'
fi
