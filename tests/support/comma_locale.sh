# sh comma_locale.sh FOLDER: makes a locale "xx_COMMA" there, whose decimal point is a comma, for LOCPATH=FOLDER. It needs
# localedef alone, and no table of characters or locales of the system's.
cd "$1" || exit 1
cat >characters <<'END'
<code_set_name> ASCII
<comment_char> %
<escape_char> /
<mb_cur_min> 1
<mb_cur_max> 1
CHARMAP
<U0000>..<U007F> /x00 ALL
END CHARMAP
END
cat >comma <<'END'
LC_NUMERIC
decimal_point "<U002C>"
thousands_sep ""
grouping -1
END LC_NUMERIC
END
localedef -c -f ./characters -i ./comma ./xx_COMMA >localedef.out 2>&1 # warns of what is not in it, and makes it
[ -s xx_COMMA/LC_NUMERIC ]
