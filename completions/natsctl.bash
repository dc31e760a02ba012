# bash completion of natsctl
_natsctl() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path=natsctl words= word
    if [[ $current == = ]]; then
        current=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path $word" in
            'natsctl server'|'natsctl pub'|'natsctl sub'|'natsctl request'|'natsctl reply'|'natsctl rtt'|'natsctl bench'|'natsctl top'|'natsctl varz'|'natsctl connz'|'natsctl routez'|'natsctl leafz'|'natsctl subsz'|'natsctl accountz'|'natsctl healthz'|'natsctl cluster'|'natsctl cluster up'|'natsctl cluster status'|'natsctl check'|'natsctl check connection'|'natsctl check server'|'natsctl check slow-consumers'|'natsctl check cluster'|'natsctl check cert'|'natsctl certs'|'natsctl certs init'|'natsctl certs cluster'|'natsctl certs ls'|'natsctl certs info'|'natsctl certs verify'|'natsctl certs expiry'|'natsctl certs probe'|'natsctl certs renew'|'natsctl certs gencert'|'natsctl certs genkey'|'natsctl certs sign'|'natsctl certs selfsign'|'natsctl certs json'|'natsctl certs certinfo'|'natsctl certs print-defaults'|'natsctl certs version'|'natsctl context'|'natsctl context ls'|'natsctl context show'|'natsctl context add'|'natsctl context select'|'natsctl context unselect'|'natsctl context rm'|'natsctl demo'|'natsctl version') path="$path $word" ;;
        esac
    done
    COMPREPLY=()
    case "$path $before" in
        'natsctl server -a'|'natsctl server --net'|'natsctl server --addr'|'natsctl server -net'|'natsctl server -addr') return ;;
        'natsctl server -p'|'natsctl server --port'|'natsctl server -port') return ;;
        'natsctl server -n'|'natsctl server --name'|'natsctl server --server_name'|'natsctl server -name'|'natsctl server -server_name') return ;;
        'natsctl server -P'|'natsctl server --pid'|'natsctl server -pid') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -m'|'natsctl server --http_port'|'natsctl server -http_port') return ;;
        'natsctl server -ms'|'natsctl server --https_port'|'natsctl server -https_port') return ;;
        'natsctl server -c'|'natsctl server --config'|'natsctl server -config') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -sl'|'natsctl server --signal'|'natsctl server -signal') return ;;
        'natsctl server --client_advertise'|'natsctl server -client_advertise') return ;;
        'natsctl server --ports_file_dir'|'natsctl server -ports_file_dir') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -l'|'natsctl server --log'|'natsctl server -log') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server -r'|'natsctl server --remote_syslog'|'natsctl server -remote_syslog') return ;;
        'natsctl server --log_size_limit'|'natsctl server -log_size_limit') return ;;
        'natsctl server --max_traced_msg_len'|'natsctl server -max_traced_msg_len') return ;;
        'natsctl server --user'|'natsctl server -user') return ;;
        'natsctl server --pass'|'natsctl server -pass') return ;;
        'natsctl server --auth'|'natsctl server -auth') return ;;
        'natsctl server -sd'|'natsctl server --store_dir'|'natsctl server -store_dir') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlscert'|'natsctl server -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlskey'|'natsctl server -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --tlscacert'|'natsctl server -tlscacert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl server --routes'|'natsctl server -routes') return ;;
        'natsctl server --cluster'|'natsctl server --cluster_listen'|'natsctl server -cluster'|'natsctl server -cluster_listen') return ;;
        'natsctl server --cluster_name'|'natsctl server -cluster_name') return ;;
        'natsctl server --cluster_advertise'|'natsctl server -cluster_advertise') return ;;
        'natsctl server --connect_retries'|'natsctl server -connect_retries') return ;;
        'natsctl server --profile'|'natsctl server -profile') return ;;
        'natsctl pub -H'|'natsctl pub --header') return ;;
        'natsctl pub --reply') return ;;
        'natsctl pub --count') return ;;
        'natsctl pub --rate') return ;;
        'natsctl pub --sleep') return ;;
        'natsctl pub --send-on') COMPREPLY=($(compgen -W "newline eof" -- "$current")); return ;;
        'natsctl pub --ndjson') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub -s'|'natsctl pub --server') return ;;
        'natsctl pub --user') return ;;
        'natsctl pub --password') return ;;
        'natsctl pub --token') return ;;
        'natsctl pub --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl pub --timeout') return ;;
        'natsctl pub --connection-name') return ;;
        'natsctl pub --inbox-prefix') return ;;
        'natsctl pub --context') return ;;
        'natsctl sub --queue') return ;;
        'natsctl sub --count') return ;;
        'natsctl sub --wait') return ;;
        'natsctl sub -I'|'natsctl sub --ignore-subject') return ;;
        'natsctl sub --dump') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --report-top') return ;;
        'natsctl sub -s'|'natsctl sub --server') return ;;
        'natsctl sub --user') return ;;
        'natsctl sub --password') return ;;
        'natsctl sub --token') return ;;
        'natsctl sub --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl sub --timeout') return ;;
        'natsctl sub --connection-name') return ;;
        'natsctl sub --inbox-prefix') return ;;
        'natsctl sub --context') return ;;
        'natsctl request -H'|'natsctl request --header') return ;;
        'natsctl request --count') return ;;
        'natsctl request --idle') return ;;
        'natsctl request --total') return ;;
        'natsctl request --expect') return ;;
        'natsctl request -s'|'natsctl request --server') return ;;
        'natsctl request --user') return ;;
        'natsctl request --password') return ;;
        'natsctl request --token') return ;;
        'natsctl request --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl request --timeout') return ;;
        'natsctl request --connection-name') return ;;
        'natsctl request --inbox-prefix') return ;;
        'natsctl request --context') return ;;
        'natsctl reply --command') return ;;
        'natsctl reply --command-timeout') return ;;
        'natsctl reply --concurrency') return ;;
        'natsctl reply -H'|'natsctl reply --header') return ;;
        'natsctl reply --queue') return ;;
        'natsctl reply --count') return ;;
        'natsctl reply --sleep') return ;;
        'natsctl reply -s'|'natsctl reply --server') return ;;
        'natsctl reply --user') return ;;
        'natsctl reply --password') return ;;
        'natsctl reply --token') return ;;
        'natsctl reply --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl reply --timeout') return ;;
        'natsctl reply --connection-name') return ;;
        'natsctl reply --inbox-prefix') return ;;
        'natsctl reply --context') return ;;
        'natsctl rtt -s'|'natsctl rtt --server') return ;;
        'natsctl rtt --user') return ;;
        'natsctl rtt --password') return ;;
        'natsctl rtt --token') return ;;
        'natsctl rtt --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl rtt --timeout') return ;;
        'natsctl rtt --connection-name') return ;;
        'natsctl rtt --inbox-prefix') return ;;
        'natsctl rtt --context') return ;;
        'natsctl bench -np'|'natsctl bench --pubs'|'natsctl bench -pubs') return ;;
        'natsctl bench -ns'|'natsctl bench --subs'|'natsctl bench -subs') return ;;
        'natsctl bench -n'|'natsctl bench --msgs'|'natsctl bench -msgs') return ;;
        'natsctl bench -ms'|'natsctl bench --size'|'natsctl bench -size') return ;;
        'natsctl bench --rate'|'natsctl bench -rate') return ;;
        'natsctl bench --duration'|'natsctl bench -duration') return ;;
        'natsctl bench --queue'|'natsctl bench -queue') return ;;
        'natsctl bench --inflight'|'natsctl bench -inflight') return ;;
        'natsctl bench --subjects'|'natsctl bench -subjects') return ;;
        'natsctl bench -H'|'natsctl bench --header'|'natsctl bench -header') return ;;
        'natsctl bench --payload'|'natsctl bench -payload') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --processes'|'natsctl bench -processes') return ;;
        'natsctl bench --max-outage'|'natsctl bench -max-outage') return ;;
        'natsctl bench --csv'|'natsctl bench -csv') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --compare'|'natsctl bench -compare') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench -s'|'natsctl bench --server'|'natsctl bench -server') return ;;
        'natsctl bench --user'|'natsctl bench -user') return ;;
        'natsctl bench --password'|'natsctl bench -password') return ;;
        'natsctl bench --token'|'natsctl bench -token') return ;;
        'natsctl bench --creds'|'natsctl bench -creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --nkey'|'natsctl bench -nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlscert'|'natsctl bench -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlskey'|'natsctl bench -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --tlsca'|'natsctl bench -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl bench --timeout'|'natsctl bench -timeout') return ;;
        'natsctl bench --connection-name'|'natsctl bench -connection-name') return ;;
        'natsctl bench --inbox-prefix'|'natsctl bench -inbox-prefix') return ;;
        'natsctl bench --context'|'natsctl bench -context') return ;;
        'natsctl top -n'|'natsctl top --limit'|'natsctl top -limit') return ;;
        'natsctl top -d'|'natsctl top --delay'|'natsctl top -delay') return ;;
        'natsctl top --sort'|'natsctl top -sort') return ;;
        'natsctl top -o'|'natsctl top --output'|'natsctl top -output') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top -r'|'natsctl top --refreshes'|'natsctl top -refreshes') return ;;
        'natsctl top --format'|'natsctl top -format') COMPREPLY=($(compgen -W "table csv json" -- "$current")); return ;;
        'natsctl top -l'|'natsctl top --delimiter'|'natsctl top -delimiter') return ;;
        'natsctl top --record'|'natsctl top -record') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --keep'|'natsctl top -keep') return ;;
        'natsctl top --replay'|'natsctl top -replay') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --speed'|'natsctl top -speed') return ;;
        'natsctl top -s'|'natsctl top --server'|'natsctl top -server') return ;;
        'natsctl top -m'|'natsctl top --http-port'|'natsctl top -http-port') return ;;
        'natsctl top -ms'|'natsctl top --https-port'|'natsctl top -https-port') return ;;
        'natsctl top --base-path'|'natsctl top -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --cert'|'natsctl top --tlscert'|'natsctl top -cert'|'natsctl top -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --key'|'natsctl top --tlskey'|'natsctl top -key'|'natsctl top -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --cacert'|'natsctl top --tlsca'|'natsctl top -cacert'|'natsctl top -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl top --timeout'|'natsctl top -timeout') return ;;
        'natsctl varz --watch'|'natsctl varz -watch') return ;;
        'natsctl varz -s'|'natsctl varz --server'|'natsctl varz -server') return ;;
        'natsctl varz -m'|'natsctl varz --http-port'|'natsctl varz -http-port') return ;;
        'natsctl varz -ms'|'natsctl varz --https-port'|'natsctl varz -https-port') return ;;
        'natsctl varz --base-path'|'natsctl varz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl varz --cert'|'natsctl varz --tlscert'|'natsctl varz -cert'|'natsctl varz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl varz --key'|'natsctl varz --tlskey'|'natsctl varz -key'|'natsctl varz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl varz --cacert'|'natsctl varz --tlsca'|'natsctl varz -cacert'|'natsctl varz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl varz --timeout'|'natsctl varz -timeout') return ;;
        'natsctl connz --sort'|'natsctl connz -sort') return ;;
        'natsctl connz -n'|'natsctl connz --limit'|'natsctl connz -limit') return ;;
        'natsctl connz --offset'|'natsctl connz -offset') return ;;
        'natsctl connz --state'|'natsctl connz -state') COMPREPLY=($(compgen -W "open closed any" -- "$current")); return ;;
        'natsctl connz --cid'|'natsctl connz -cid') return ;;
        'natsctl connz --user'|'natsctl connz -user') return ;;
        'natsctl connz --account'|'natsctl connz -account') return ;;
        'natsctl connz --watch'|'natsctl connz -watch') return ;;
        'natsctl connz -s'|'natsctl connz --server'|'natsctl connz -server') return ;;
        'natsctl connz -m'|'natsctl connz --http-port'|'natsctl connz -http-port') return ;;
        'natsctl connz -ms'|'natsctl connz --https-port'|'natsctl connz -https-port') return ;;
        'natsctl connz --base-path'|'natsctl connz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl connz --cert'|'natsctl connz --tlscert'|'natsctl connz -cert'|'natsctl connz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl connz --key'|'natsctl connz --tlskey'|'natsctl connz -key'|'natsctl connz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl connz --cacert'|'natsctl connz --tlsca'|'natsctl connz -cacert'|'natsctl connz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl connz --timeout'|'natsctl connz -timeout') return ;;
        'natsctl routez --watch'|'natsctl routez -watch') return ;;
        'natsctl routez -s'|'natsctl routez --server'|'natsctl routez -server') return ;;
        'natsctl routez -m'|'natsctl routez --http-port'|'natsctl routez -http-port') return ;;
        'natsctl routez -ms'|'natsctl routez --https-port'|'natsctl routez -https-port') return ;;
        'natsctl routez --base-path'|'natsctl routez -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl routez --cert'|'natsctl routez --tlscert'|'natsctl routez -cert'|'natsctl routez -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl routez --key'|'natsctl routez --tlskey'|'natsctl routez -key'|'natsctl routez -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl routez --cacert'|'natsctl routez --tlsca'|'natsctl routez -cacert'|'natsctl routez -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl routez --timeout'|'natsctl routez -timeout') return ;;
        'natsctl leafz --account'|'natsctl leafz -account') return ;;
        'natsctl leafz --watch'|'natsctl leafz -watch') return ;;
        'natsctl leafz -s'|'natsctl leafz --server'|'natsctl leafz -server') return ;;
        'natsctl leafz -m'|'natsctl leafz --http-port'|'natsctl leafz -http-port') return ;;
        'natsctl leafz -ms'|'natsctl leafz --https-port'|'natsctl leafz -https-port') return ;;
        'natsctl leafz --base-path'|'natsctl leafz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl leafz --cert'|'natsctl leafz --tlscert'|'natsctl leafz -cert'|'natsctl leafz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl leafz --key'|'natsctl leafz --tlskey'|'natsctl leafz -key'|'natsctl leafz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl leafz --cacert'|'natsctl leafz --tlsca'|'natsctl leafz -cacert'|'natsctl leafz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl leafz --timeout'|'natsctl leafz -timeout') return ;;
        'natsctl subsz --test'|'natsctl subsz -test') return ;;
        'natsctl subsz --account'|'natsctl subsz -account') return ;;
        'natsctl subsz -n'|'natsctl subsz --limit'|'natsctl subsz -limit') return ;;
        'natsctl subsz --offset'|'natsctl subsz -offset') return ;;
        'natsctl subsz --watch'|'natsctl subsz -watch') return ;;
        'natsctl subsz -s'|'natsctl subsz --server'|'natsctl subsz -server') return ;;
        'natsctl subsz -m'|'natsctl subsz --http-port'|'natsctl subsz -http-port') return ;;
        'natsctl subsz -ms'|'natsctl subsz --https-port'|'natsctl subsz -https-port') return ;;
        'natsctl subsz --base-path'|'natsctl subsz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl subsz --cert'|'natsctl subsz --tlscert'|'natsctl subsz -cert'|'natsctl subsz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl subsz --key'|'natsctl subsz --tlskey'|'natsctl subsz -key'|'natsctl subsz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl subsz --cacert'|'natsctl subsz --tlsca'|'natsctl subsz -cacert'|'natsctl subsz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl subsz --timeout'|'natsctl subsz -timeout') return ;;
        'natsctl accountz --account'|'natsctl accountz -account') return ;;
        'natsctl accountz --watch'|'natsctl accountz -watch') return ;;
        'natsctl accountz -s'|'natsctl accountz --server'|'natsctl accountz -server') return ;;
        'natsctl accountz -m'|'natsctl accountz --http-port'|'natsctl accountz -http-port') return ;;
        'natsctl accountz -ms'|'natsctl accountz --https-port'|'natsctl accountz -https-port') return ;;
        'natsctl accountz --base-path'|'natsctl accountz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl accountz --cert'|'natsctl accountz --tlscert'|'natsctl accountz -cert'|'natsctl accountz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl accountz --key'|'natsctl accountz --tlskey'|'natsctl accountz -key'|'natsctl accountz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl accountz --cacert'|'natsctl accountz --tlsca'|'natsctl accountz -cacert'|'natsctl accountz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl accountz --timeout'|'natsctl accountz -timeout') return ;;
        'natsctl healthz --watch'|'natsctl healthz -watch') return ;;
        'natsctl healthz -s'|'natsctl healthz --server'|'natsctl healthz -server') return ;;
        'natsctl healthz -m'|'natsctl healthz --http-port'|'natsctl healthz -http-port') return ;;
        'natsctl healthz -ms'|'natsctl healthz --https-port'|'natsctl healthz -https-port') return ;;
        'natsctl healthz --base-path'|'natsctl healthz -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl healthz --cert'|'natsctl healthz --tlscert'|'natsctl healthz -cert'|'natsctl healthz -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl healthz --key'|'natsctl healthz --tlskey'|'natsctl healthz -key'|'natsctl healthz -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl healthz --cacert'|'natsctl healthz --tlsca'|'natsctl healthz -cacert'|'natsctl healthz -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl healthz --timeout'|'natsctl healthz -timeout') return ;;
        'natsctl cluster up --nodes') return ;;
        'natsctl cluster up --engine') COMPREPLY=($(compgen -W "natsctl nats-server" -- "$current")); return ;;
        'natsctl cluster up --dir') COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl cluster up --port') return ;;
        'natsctl cluster status --watch'|'natsctl cluster status -watch') return ;;
        'natsctl cluster status -s'|'natsctl cluster status --server'|'natsctl cluster status -server') return ;;
        'natsctl cluster status -m'|'natsctl cluster status --http-port'|'natsctl cluster status -http-port') return ;;
        'natsctl cluster status -ms'|'natsctl cluster status --https-port'|'natsctl cluster status -https-port') return ;;
        'natsctl cluster status --base-path'|'natsctl cluster status -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl cluster status --cert'|'natsctl cluster status --tlscert'|'natsctl cluster status -cert'|'natsctl cluster status -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl cluster status --key'|'natsctl cluster status --tlskey'|'natsctl cluster status -key'|'natsctl cluster status -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl cluster status --cacert'|'natsctl cluster status --tlsca'|'natsctl cluster status -cacert'|'natsctl cluster status -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl cluster status --timeout'|'natsctl cluster status -timeout') return ;;
        'natsctl check connection --connect-warn') return ;;
        'natsctl check connection --connect-critical'|'natsctl check connection --connect-crit') return ;;
        'natsctl check connection --rtt-warn') return ;;
        'natsctl check connection --rtt-critical'|'natsctl check connection --rtt-crit') return ;;
        'natsctl check connection --req-warn') return ;;
        'natsctl check connection --req-critical'|'natsctl check connection --req-crit') return ;;
        'natsctl check connection --outfile') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection -s'|'natsctl check connection --server') return ;;
        'natsctl check connection --user') return ;;
        'natsctl check connection --password') return ;;
        'natsctl check connection --token') return ;;
        'natsctl check connection --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check connection --timeout') return ;;
        'natsctl check connection --connection-name') return ;;
        'natsctl check connection --inbox-prefix') return ;;
        'natsctl check connection --context') return ;;
        'natsctl check server --cpu-warn'|'natsctl check server -cpu-warn') return ;;
        'natsctl check server --cpu-critical'|'natsctl check server --cpu-crit'|'natsctl check server -cpu-critical'|'natsctl check server -cpu-crit') return ;;
        'natsctl check server --mem-warn'|'natsctl check server -mem-warn') return ;;
        'natsctl check server --mem-critical'|'natsctl check server --mem-crit'|'natsctl check server -mem-critical'|'natsctl check server -mem-crit') return ;;
        'natsctl check server --conn-warn'|'natsctl check server -conn-warn') return ;;
        'natsctl check server --conn-critical'|'natsctl check server --conn-crit'|'natsctl check server -conn-critical'|'natsctl check server -conn-crit') return ;;
        'natsctl check server --subs-warn'|'natsctl check server -subs-warn') return ;;
        'natsctl check server --subs-critical'|'natsctl check server --subs-crit'|'natsctl check server -subs-critical'|'natsctl check server -subs-crit') return ;;
        'natsctl check server --uptime-warn'|'natsctl check server -uptime-warn') return ;;
        'natsctl check server --uptime-critical'|'natsctl check server --uptime-crit'|'natsctl check server -uptime-critical'|'natsctl check server -uptime-crit') return ;;
        'natsctl check server --outfile'|'natsctl check server -outfile') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check server -s'|'natsctl check server --server'|'natsctl check server -server') return ;;
        'natsctl check server -m'|'natsctl check server --http-port'|'natsctl check server -http-port') return ;;
        'natsctl check server -ms'|'natsctl check server --https-port'|'natsctl check server -https-port') return ;;
        'natsctl check server --base-path'|'natsctl check server -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check server --cert'|'natsctl check server --tlscert'|'natsctl check server -cert'|'natsctl check server -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check server --key'|'natsctl check server --tlskey'|'natsctl check server -key'|'natsctl check server -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check server --cacert'|'natsctl check server --tlsca'|'natsctl check server -cacert'|'natsctl check server -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check server --timeout'|'natsctl check server -timeout') return ;;
        'natsctl check slow-consumers --within'|'natsctl check slow-consumers -within') return ;;
        'natsctl check slow-consumers --warn'|'natsctl check slow-consumers -warn') return ;;
        'natsctl check slow-consumers --critical'|'natsctl check slow-consumers --crit'|'natsctl check slow-consumers -critical'|'natsctl check slow-consumers -crit') return ;;
        'natsctl check slow-consumers --pending-warn'|'natsctl check slow-consumers -pending-warn') return ;;
        'natsctl check slow-consumers --pending-critical'|'natsctl check slow-consumers --pending-crit'|'natsctl check slow-consumers -pending-critical'|'natsctl check slow-consumers -pending-crit') return ;;
        'natsctl check slow-consumers --outfile'|'natsctl check slow-consumers -outfile') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check slow-consumers -s'|'natsctl check slow-consumers --server'|'natsctl check slow-consumers -server') return ;;
        'natsctl check slow-consumers -m'|'natsctl check slow-consumers --http-port'|'natsctl check slow-consumers -http-port') return ;;
        'natsctl check slow-consumers -ms'|'natsctl check slow-consumers --https-port'|'natsctl check slow-consumers -https-port') return ;;
        'natsctl check slow-consumers --base-path'|'natsctl check slow-consumers -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check slow-consumers --cert'|'natsctl check slow-consumers --tlscert'|'natsctl check slow-consumers -cert'|'natsctl check slow-consumers -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check slow-consumers --key'|'natsctl check slow-consumers --tlskey'|'natsctl check slow-consumers -key'|'natsctl check slow-consumers -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check slow-consumers --cacert'|'natsctl check slow-consumers --tlsca'|'natsctl check slow-consumers -cacert'|'natsctl check slow-consumers -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check slow-consumers --timeout'|'natsctl check slow-consumers -timeout') return ;;
        'natsctl check cluster --expect'|'natsctl check cluster -expect') return ;;
        'natsctl check cluster --clock-warn'|'natsctl check cluster -clock-warn') return ;;
        'natsctl check cluster --clock-critical'|'natsctl check cluster --clock-crit'|'natsctl check cluster -clock-critical'|'natsctl check cluster -clock-crit') return ;;
        'natsctl check cluster --outfile'|'natsctl check cluster -outfile') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cluster -s'|'natsctl check cluster --server'|'natsctl check cluster -server') return ;;
        'natsctl check cluster -m'|'natsctl check cluster --http-port'|'natsctl check cluster -http-port') return ;;
        'natsctl check cluster -ms'|'natsctl check cluster --https-port'|'natsctl check cluster -https-port') return ;;
        'natsctl check cluster --base-path'|'natsctl check cluster -base-path') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cluster --cert'|'natsctl check cluster --tlscert'|'natsctl check cluster -cert'|'natsctl check cluster -tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cluster --key'|'natsctl check cluster --tlskey'|'natsctl check cluster -key'|'natsctl check cluster -tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cluster --cacert'|'natsctl check cluster --tlsca'|'natsctl check cluster -cacert'|'natsctl check cluster -tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cluster --timeout'|'natsctl check cluster -timeout') return ;;
        'natsctl check cert -s'|'natsctl check cert --server') return ;;
        'natsctl check cert --host') return ;;
        'natsctl check cert --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl check cert --warn') return ;;
        'natsctl check cert --critical'|'natsctl check cert --crit') return ;;
        'natsctl check cert --timeout') return ;;
        'natsctl check cert --outfile') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs init --san') return ;;
        'natsctl certs init --key') return ;;
        'natsctl certs init --expiry') return ;;
        'natsctl certs init --ca-expiry') return ;;
        'natsctl certs cluster --nodes') return ;;
        'natsctl certs cluster --hosts') return ;;
        'natsctl certs cluster --name') return ;;
        'natsctl certs cluster --client-port') return ;;
        'natsctl certs cluster --route-port') return ;;
        'natsctl certs cluster --monitor-port') return ;;
        'natsctl certs cluster --san') return ;;
        'natsctl certs cluster --key') return ;;
        'natsctl certs cluster --expiry') return ;;
        'natsctl certs cluster --ca-expiry') return ;;
        'natsctl certs verify --ca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs verify --purpose') return ;;
        'natsctl certs verify --host') return ;;
        'natsctl certs expiry --within') return ;;
        'natsctl certs probe --host') return ;;
        'natsctl certs probe --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs probe --timeout') return ;;
        'natsctl certs renew --ca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs renew --ca-key') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs renew --within') return ;;
        'natsctl certs renew --expiry') return ;;
        'natsctl certs gencert --ca'|'natsctl certs gencert -ca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs gencert --ca-key'|'natsctl certs gencert -ca-key') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs gencert --config'|'natsctl certs gencert -config') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs gencert --profile'|'natsctl certs gencert -profile') return ;;
        'natsctl certs gencert --hostname'|'natsctl certs gencert -hostname') return ;;
        'natsctl certs gencert --loglevel'|'natsctl certs gencert -loglevel') return ;;
        'natsctl certs genkey --loglevel'|'natsctl certs genkey -loglevel') return ;;
        'natsctl certs sign --ca'|'natsctl certs sign -ca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs sign --ca-key'|'natsctl certs sign -ca-key') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs sign --config'|'natsctl certs sign -config') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs sign --profile'|'natsctl certs sign -profile') return ;;
        'natsctl certs sign --hostname'|'natsctl certs sign -hostname') return ;;
        'natsctl certs sign --loglevel'|'natsctl certs sign -loglevel') return ;;
        'natsctl certs selfsign --loglevel'|'natsctl certs selfsign -loglevel') return ;;
        'natsctl certs json -f') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs certinfo --cert'|'natsctl certs certinfo -cert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl certs certinfo --csr'|'natsctl certs certinfo -csr') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --description') return ;;
        'natsctl context add -s'|'natsctl context add --server') return ;;
        'natsctl context add --user') return ;;
        'natsctl context add --password') return ;;
        'natsctl context add --token') return ;;
        'natsctl context add --creds') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --nkey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlscert') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlskey') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --tlsca') COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;
        'natsctl context add --timeout') return ;;
        'natsctl context add --connection-name') return ;;
        'natsctl context add --inbox-prefix') return ;;
    esac
    case $path in
        'natsctl')
            case $current in
                -*) words="-v --version -h --help" ;;
                *) words="server pub sub request reply rtt bench top varz connz routez leafz subsz accountz healthz cluster check certs context demo version" ;;
            esac
            ;;
        'natsctl server')
            case $current in
                -*) words="-a --net --addr -net -addr -p --port -port -n --name --server_name -name -server_name -P --pid -pid -m --http_port -http_port -ms --https_port -https_port -c --config -config -t -sl --signal -signal --client_advertise -client_advertise --ports_file_dir -ports_file_dir -l --log -log -T --logtime -logtime --logtime_utc -logtime_utc -s --syslog -syslog -r --remote_syslog -remote_syslog -D --debug -debug -V --trace -trace -VV -DV -DVV --log_size_limit -log_size_limit --max_traced_msg_len -max_traced_msg_len --user -user --pass -pass --auth -auth -js --jetstream -jetstream -sd --store_dir -store_dir --tls -tls --tlscert -tlscert --tlskey -tlskey --tlsverify -tlsverify --tlscacert -tlscacert --help_tls -help_tls --routes -routes --cluster --cluster_listen -cluster -cluster_listen --cluster_name -cluster_name --cluster_advertise -cluster_advertise --no_advertise -no_advertise --connect_retries -connect_retries --profile -profile -v --version -version -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl pub')
            case $current in
                -*) words="-H --header --reply --count --rate --sleep --templates --send-on --ndjson -q --quiet --json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl sub')
            case $current in
                -*) words="--queue --count --wait -I --ignore-subject -r --raw --headers-only -t --timestamps -d --delta --json --dump --report-subjects --report-top -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl request')
            case $current in
                -*) words="-H --header --count --gather --idle --total --expect --until-empty -r --raw --json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl reply')
            case $current in
                -*) words="--echo --command --command-timeout --concurrency -H --header --queue --count --sleep -q --quiet -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl rtt')
            case $current in
                -*) words="--json -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl bench')
            case $current in
                -*) words="-np --pubs -pubs -ns --subs -subs -n --msgs -msgs -ms --size -size --rate -rate --duration -duration --queue -queue --request -request --inflight -inflight --subjects -subjects -H --header -header --payload -payload --random -random --stamp -stamp --processes -processes --max-outage -max-outage --csv -csv --json -json --compare -compare --plot -plot -h --help -help -s --server -server --user -user --password -password --token -token --creds -creds --nkey -nkey --tlscert -tlscert --tlskey -tlskey --tlsca -tlsca --tlsfirst -tlsfirst --timeout -timeout --connection-name -connection-name --inbox-prefix -inbox-prefix --context -context --no-context -no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl top')
            case $current in
                -*) words="-n --limit -limit -d --delay -delay --sort -sort --lookup -lookup -b --raw -raw -u --display-subscriptions-column -display-subscriptions-column -o --output -output --once -once -r --refreshes -refreshes --format -format -l --delimiter -delimiter --no-rates -no-rates --record -record --keep -keep --headless -headless --replay -replay --speed -speed -v --version -version -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl varz')
            case $current in
                -*) words="--json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl connz')
            case $current in
                -*) words="--sort -sort -n --limit -limit --offset -offset --state -state -u --subs -subs --auth -auth --cid -cid --user -user --account -account --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl routez')
            case $current in
                -*) words="-u --subs -subs --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl leafz')
            case $current in
                -*) words="--account -account -u --subs -subs --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl subsz')
            case $current in
                -*) words="--test -test -u --subs -subs --account -account -n --limit -limit --offset -offset --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl accountz')
            case $current in
                -*) words="--account -account --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl healthz')
            case $current in
                -*) words="--details -details --js-enabled-only -js-enabled-only --js-server-only -js-server-only --json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl cluster')
            case $current in
                -*) words="-h --help" ;;
                *) words="up status" ;;
            esac
            ;;
        'natsctl cluster up')
            case $current in
                -*) words="--nodes --engine --tls --dir --port -q --quiet --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl cluster status')
            case $current in
                -*) words="--json -json --watch -watch -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl check')
            case $current in
                -*) words="-h --help" ;;
                *) words="connection server slow-consumers cluster cert" ;;
            esac
            ;;
        'natsctl check connection')
            case $current in
                -*) words="--connect-warn --connect-critical --connect-crit --rtt-warn --rtt-critical --rtt-crit --req-warn --req-critical --req-crit --json --prometheus --outfile -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix --context --no-context" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl check server')
            case $current in
                -*) words="--cpu-warn -cpu-warn --cpu-critical --cpu-crit -cpu-critical -cpu-crit --mem-warn -mem-warn --mem-critical --mem-crit -mem-critical -mem-crit --conn-warn -conn-warn --conn-critical --conn-crit -conn-critical -conn-crit --subs-warn -subs-warn --subs-critical --subs-crit -subs-critical -subs-crit --uptime-warn -uptime-warn --uptime-critical --uptime-crit -uptime-critical -uptime-crit --auth-required -auth-required --tls-required -tls-required --json -json --prometheus -prometheus --outfile -outfile -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl check slow-consumers')
            case $current in
                -*) words="--within -within --warn -warn --critical --crit -critical -crit --pending-warn -pending-warn --pending-critical --pending-crit -pending-critical -pending-crit --json -json --prometheus -prometheus --outfile -outfile -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cluster -cluster --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl check cluster')
            case $current in
                -*) words="--expect -expect --clock-warn -clock-warn --clock-critical --clock-crit -clock-critical -clock-crit --json -json --prometheus -prometheus --outfile -outfile -h --help -help -s --server -server -m --http-port -http-port -ms --https-port -https-port --base-path -base-path --cert --tlscert -cert -tlscert --key --tlskey -key -tlskey --cacert --tlsca -cacert -tlsca -k --insecure -insecure --timeout -timeout" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl check cert')
            case $current in
                -*) words="-s --server --host --tlsca --warn --critical --crit --timeout --json --prometheus --outfile -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs')
            case $current in
                -*) words="-h --help" ;;
                *) words="init cluster ls info verify expiry probe renew gencert genkey sign selfsign json certinfo print-defaults version" ;;
            esac
            ;;
        'natsctl certs init')
            case $current in
                -*) words="--san --key --expiry --ca-expiry --force --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs cluster')
            case $current in
                -*) words="--nodes --hosts --name --client-port --route-port --monitor-port --san --key --expiry --ca-expiry --force --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs ls')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs info')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs verify')
            case $current in
                -*) words="--ca --purpose --host --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs expiry')
            case $current in
                -*) words="--within --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs probe')
            case $current in
                -*) words="--host --tlsca --timeout --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs renew')
            case $current in
                -*) words="--ca --ca-key --within --expiry --reuse-key --json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs gencert')
            case $current in
                -*) words="--initca -initca --renewca -renewca --ca -ca --ca-key -ca-key --config -config --profile -profile --hostname -hostname --loglevel -loglevel -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs genkey')
            case $current in
                -*) words="--initca -initca --loglevel -loglevel -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs sign')
            case $current in
                -*) words="--ca -ca --ca-key -ca-key --config -config --profile -profile --hostname -hostname --loglevel -loglevel -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs selfsign')
            case $current in
                -*) words="--loglevel -loglevel -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs json')
            case $current in
                -*) words="--bare -bare -f --stdout -stdout --force -force -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs certinfo')
            case $current in
                -*) words="--cert -cert --csr -csr -h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs print-defaults')
            case $current in
                -*) words="-h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl certs version')
            case $current in
                -*) words="-h --help -help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context')
            case $current in
                -*) words="-h --help" ;;
                *) words="ls show add select unselect rm" ;;
            esac
            ;;
        'natsctl context ls')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context show')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context add')
            case $current in
                -*) words="--description --select -f --force -h --help -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca --tlsfirst --timeout --connection-name --inbox-prefix" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context select')
            case $current in
                -*) words="-h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context unselect')
            case $current in
                -*) words="-h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl context rm')
            case $current in
                -*) words="-f --force -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl demo')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
        'natsctl version')
            case $current in
                -*) words="--json -h --help" ;;
                *) words="" ;;
            esac
            ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    if [[ -z $words ]]; then
        COMPREPLY=($(compgen -f -- "$current"))
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _natsctl natsctl
