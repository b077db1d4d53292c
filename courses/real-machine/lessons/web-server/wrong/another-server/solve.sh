#!/bin/bash
# It serves the page, and it is not nginx.
sed -i 's/Your heading here/Hello/' site/index.html
setsid python3 -m http.server 8000 --directory site </dev/null >/dev/null 2>&1 &
until curl -s -o /dev/null http://127.0.0.1:8000/; do sleep 0.1; done
